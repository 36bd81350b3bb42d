mod me;
mod openapi;
mod tenant;
