"""An embedded stand-in for an LMS and Studio, and a small credit bank; never installed."""
