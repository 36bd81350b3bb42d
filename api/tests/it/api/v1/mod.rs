mod audit;
mod groups;
mod me;
mod openapi;
mod permissions;
mod roles;
mod security_events;
mod tenant;
