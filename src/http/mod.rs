//! The edge: the route table.
