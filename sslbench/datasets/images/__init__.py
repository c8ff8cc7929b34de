"""Image datasets: loaders of arrays, downloads, and folders of one's own."""
