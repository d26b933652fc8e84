//! What Tripline promises. The `mod` lines are the table of contents.

mod configs;
