//! The composition root: builds the parts, starts the tree, binds, serves, drains.
