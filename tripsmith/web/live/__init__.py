"""Live events: what happens to ingestions, sent by Socket.IO to every client that is let in."""
