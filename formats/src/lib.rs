//! What pagetrain defines, once: configuration, registers, descriptors, completions.
