//! What may not even be read is not there, for the one who asks.

use super::{AccessError, Attributes, Authority, Permission};

impl Authority {
    /// Refuses who may not do this to the thing of which these attributes are known, as [`check`](Self::check) does; where they
    /// may not read it either, in the words in which `missing` is told, so that nobody learns what there is.
    ///
    /// # Errors
    /// [`AccessError::Hidden`], and those of [`check`](Self::check).
    pub fn check_shown(
        &self,
        read: Permission,
        permission: Permission,
        attributes: Attributes,
        missing: &'static str,
    ) -> Result<(), AccessError> {
        // In this order, so that the log tells what was asked for.
        let is_shown = !matches!(self.check(read, attributes.clone()), Err(AccessError::Forbidden(_)));
        match self.check(permission, attributes) {
            Err(AccessError::Forbidden(_)) if !is_shown => Err(AccessError::Hidden(missing)),
            other => other,
        }
    }
}
