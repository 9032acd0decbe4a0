"""The figures of samples: bedrooms, faces and ImageNet."""
