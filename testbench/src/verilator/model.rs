//! A compiled model, and one running instance of it.

use super::build::shared_object;
use super::design::{Design, Direction, Options, PortDecl};
use super::error::BuildError;
use libloading::Library;
use std::cell::Cell;
use std::ffi::{c_char, c_int, c_uint, c_void, CStr, CString};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

type Raw = *mut c_void;
type NewFn = unsafe extern "C" fn(c_int, c_int) -> Raw;
type FreeFn = unsafe extern "C" fn(Raw);
type EvalFn = unsafe extern "C" fn(Raw, u64) -> c_int;
type ReasonFn = unsafe extern "C" fn(Raw) -> *const c_char;
type DumpFn = unsafe extern "C" fn(Raw, u64);
type PortFn = unsafe extern "C" fn(Raw, *const c_char, *mut c_uint) -> Raw;
type OpenFn = unsafe extern "C" fn(Raw, *const c_char) -> c_int;
type PathFn = unsafe extern "C" fn(Raw, *const c_char);

/// What flip-flops and memories without a reset value hold before the first clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialState {
    /// All zero.
    Zeros,
    /// All one.
    Ones,
    /// Random, from this seed. A state that reset forgot shows up.
    Random(u64),
}

struct Loaded {
    top: String,
    ports: Vec<PortDecl>,
    new: NewFn,
    free: FreeFn,
    eval: EvalFn,
    reason: ReasonFn,
    port: PortFn,
    trace: Option<(OpenFn, DumpFn, FreeFn)>,
    coverage: Option<PathFn>,
    // Last: the functions above live in it.
    _library: Library,
}

/// A compiled design. Cheap to clone; every [`Instance`] of it has a state of its own.
#[derive(Clone)]
pub struct Model(Arc<Loaded>);

impl Model {
    /// Builds `design`, or finds it in the cache, and loads it.
    pub fn build(design: &Design, options: &Options) -> Result<Model, BuildError> {
        let path = shared_object(design, options)?;
        // SAFETY: the object was built by this crate from its own shim, whose symbols have these types; its
        // initialisers are Verilator's runtime and touch only their own data.
        unsafe { Model::load(&path, design, options) }
            .map_err(|source| BuildError::Load { path, source })
    }

    /// # Safety
    /// `path` is a shared object that `build.rs` made of `design` with `options`.
    unsafe fn load(
        path: &Path,
        design: &Design,
        options: &Options,
    ) -> Result<Model, libloading::Error> {
        // SAFETY: as promised by the caller.
        unsafe {
            let library = Library::new(path)?;
            let trace = if options.trace {
                Some((
                    *library.get::<OpenFn>(b"model_trace_open")?,
                    *library.get::<DumpFn>(b"model_trace_dump")?,
                    *library.get::<FreeFn>(b"model_trace_close")?,
                ))
            } else {
                None
            };
            let coverage = if options.coverage {
                Some(*library.get::<PathFn>(b"model_coverage")?)
            } else {
                None
            };
            Ok(Model(Arc::new(Loaded {
                top: design.top.clone(),
                ports: design.ports.clone(),
                new: *library.get(b"model_new")?,
                free: *library.get(b"model_free")?,
                eval: *library.get(b"model_eval")?,
                reason: *library.get(b"model_reason")?,
                port: *library.get(b"model_port")?,
                trace,
                coverage,
                _library: library,
            })))
        }
    }

    /// Name of the top module.
    pub fn top(&self) -> &str {
        &self.0.top
    }

    /// Ports of the top module, in the order of the design.
    pub fn ports(&self) -> &[PortDecl] {
        &self.0.ports
    }

    /// True if waves are compiled in.
    pub fn has_trace(&self) -> bool {
        self.0.trace.is_some()
    }

    /// True if line coverage is compiled in.
    pub fn has_coverage(&self) -> bool {
        self.0.coverage.is_some()
    }

    /// A new instance: flip-flops as `initial` says, all inputs 0, nothing evaluated yet.
    pub fn instance(&self, initial: InitialState) -> Rc<Instance> {
        let (seed, mode) = match initial {
            InitialState::Zeros => (1, 0),
            InitialState::Ones => (1, 1),
            // Verilator's seed is a positive int; 0 would mean "pick one".
            InitialState::Random(seed) => ((seed % 0x7fff_fffe) as c_int + 1, 2),
        };
        // SAFETY: the constructor takes any seed and mode.
        let raw = unsafe { (self.0.new)(seed, mode) };
        let instance = Instance {
            raw,
            eval: self.0.eval,
            now: Cell::new(0),
            model: self.clone(),
        };
        for port in self
            .ports()
            .iter()
            .filter(|port| port.direction == Direction::Input)
        {
            if let Some((address, bytes)) = instance.storage(&port.name) {
                // SAFETY: `storage` gave this many bytes, and nobody else holds them.
                unsafe { std::ptr::write_bytes(address, 0, bytes) };
            }
        }
        Rc::new(instance)
    }
}

/// One running copy of a model, with its own Verilator context, so that threads and tests are independent.
pub struct Instance {
    raw: Raw,
    eval: EvalFn,
    now: Cell<u64>,
    model: Model,
}

impl Instance {
    /// Evaluates the design for the present inputs. True once it has stopped itself; see [`Self::reason`].
    #[inline]
    pub fn eval(&self) -> bool {
        // SAFETY: `raw` lives as long as self.
        unsafe { (self.eval)(self.raw, self.now.get()) != 0 }
    }

    /// Why the design stopped itself: `$finish`, `$stop`, `$error`, `$fatal` or an assertion, with file and line.
    pub fn reason(&self) -> String {
        // SAFETY: the shim gives a terminated string inside the model.
        unsafe { CStr::from_ptr((self.model.0.reason)(self.raw)) }
            .to_string_lossy()
            .into_owned()
    }

    /// The model that this is an instance of.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Sets what `$time` gives in the next evaluation, in nanoseconds.
    #[inline]
    pub fn set_time(&self, ns: u64) {
        self.now.set(ns);
    }

    /// Address and size in bytes of a port's storage, which holds the value in the host's byte order:
    /// 1, 2, 4 or 8 bytes up to 64 bits, else words of 32 bits, least significant first. Fixed for the
    /// instance's life.
    pub fn storage(&self, port: &str) -> Option<(*mut u8, usize)> {
        let name = CString::new(port).ok()?;
        let mut bytes = 0;
        // SAFETY: as in `eval`; the shim only compares the name.
        let address = unsafe { (self.model.0.port)(self.raw, name.as_ptr(), &mut bytes) };
        (!address.is_null()).then_some((address.cast(), bytes as usize))
    }

    /// Starts waves into `path`. False if the model has none compiled in or the file cannot be written.
    pub fn open_trace(&self, path: &Path) -> bool {
        match (
            self.model.0.trace,
            CString::new(path.as_os_str().as_encoded_bytes()),
        ) {
            // SAFETY: as in `eval`; called once, by `Sim`.
            (Some((open, _, _)), Ok(path)) => unsafe { open(self.raw, path.as_ptr()) != 0 },
            _ => false,
        }
    }

    /// Writes all signals into the open waves, as of the time set last.
    pub fn dump_trace(&self) {
        if let Some((_, dump, _)) = self.model.0.trace {
            // SAFETY: as in `eval`; only after `open_trace` succeeded.
            unsafe { dump(self.raw, self.now.get()) }
        }
    }

    /// Ends the waves; the file is complete afterwards.
    pub fn close_trace(&self) {
        if let Some((_, _, close)) = self.model.0.trace {
            // SAFETY: as in `eval`; closing twice does nothing.
            unsafe { close(self.raw) }
        }
    }

    /// Writes the line coverage so far. False if the model counts none.
    pub fn write_coverage(&self, path: &Path) -> bool {
        match (
            self.model.0.coverage,
            CString::new(path.as_os_str().as_encoded_bytes()),
        ) {
            // SAFETY: as in `eval`.
            (Some(write), Ok(path)) => unsafe {
                write(self.raw, path.as_ptr());
                true
            },
            _ => false,
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: made by `model_new`, freed once.
        unsafe { (self.model.0.free)(self.raw) }
    }
}
