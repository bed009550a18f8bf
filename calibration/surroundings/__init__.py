"""What is around tells of a camera: straight edges in its image, and the directions of most of them."""
