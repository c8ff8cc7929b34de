"""What `import sslbench` offers: score an encoder of one's own, read tables, run suites, load what was trained."""
