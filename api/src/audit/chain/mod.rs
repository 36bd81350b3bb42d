//! The chains: one for each tenant, of signed batches of entries.
//!
//! A batch is a Merkle tree over the next entries of the tenant (RFC 9162 §2.1), in the order of their ids among those
//! that were committed when the [`Sealer`] came by. An entry that commits late is in a later batch: positions are given
//! when entries are sealed, not when they are written, so nothing is ever left out and no gap has to be explained. The
//! header of a batch (see [`BatchClaims`]) is signed as a JWS and names the hash of the JWS before it.
//!
//! | table | what |
//! |---|---|
//! | `audit_unsealed` | the entries that wait; written with the entry |
//! | `audit_leaves` | position, batch and leaf hash of each sealed entry; the link that makes a removal visible |
//! | `audit_batches` | the signed headers; they stay when their entries go |
//! | `audit_chains` | the head of each chain, and the signed statement of what retention has removed |
//!
//! What is provable by the database alone, against somebody who can write everything in it but has not the key file:
//! that every sealed entry is what it was, where it was, and that none was removed or put between. What is not: that
//! the *last* batches were not cut off together with the head, because an older state of a chain is a good chain too. For
//! that an operator keeps [checkpoints](checkpoint) elsewhere. Entries that wait (for seconds) are not protected yet.

pub mod checkpoint;
mod model;
pub mod retention;
mod sealer;
pub(super) mod store;

pub use model::{BatchClaims, CheckpointClaims, PruningClaims, Statement, statement};
pub use sealer::{SealError, Sealer};
