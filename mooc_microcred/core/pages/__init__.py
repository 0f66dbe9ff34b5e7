"""What pages of every room share: the frame around them, their headers, the language, who is signed in."""
