"""What pages of every room share: the frame around them, their headers, the language, and who is signed in."""
