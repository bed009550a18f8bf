"""A camera rig to look at: as a picture, and as a page to be turned by hand."""
