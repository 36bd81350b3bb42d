//! Where the memory of every program comes from that uses this crate.
//!
//! Much of what a request allocates is freed by another thread: rows that were asked of the database, decisions that are
//! written to their log. glibc's allocator takes a lock of the thread that it came from for each of them.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;
