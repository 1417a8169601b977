//! Copies of a beat: the widths of buses become plain loads and stores instead of a call.

/// Copies `len` bytes.
///
/// # Safety
/// As [`std::ptr::copy_nonoverlapping`].
#[inline(always)]
pub(crate) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: promised by the caller; the constant lengths are `len`.
    unsafe {
        match len {
            8 => std::ptr::copy_nonoverlapping(from, to, 8),
            16 => std::ptr::copy_nonoverlapping(from, to, 16),
            32 => std::ptr::copy_nonoverlapping(from, to, 32),
            64 => std::ptr::copy_nonoverlapping(from, to, 64),
            _ => std::ptr::copy_nonoverlapping(from, to, len),
        }
    }
}

/// Copies a slice to one of the same length.
#[inline(always)]
pub(crate) fn copy_slice(from: &[u8], to: &mut [u8]) {
    assert_eq!(from.len(), to.len(), "lengths of a copy");
    // SAFETY: equal lengths, and a shared and an exclusive slice never overlap.
    unsafe { copy(from.as_ptr(), to.as_mut_ptr(), from.len()) }
}
