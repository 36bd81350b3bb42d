//! Who the caller is: what this service understood of their token.

pub mod routes;
