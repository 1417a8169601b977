//! Wakers: a task's number on a list, once.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

/// What a pending task waits for, noted by the future that made it wait.
#[derive(Clone, Debug, Default)]
pub(super) enum Wait {
    #[default]
    /// A future that is none of this crate's.
    Unknown,
    /// The next edge.
    Edge,
    /// The edge of this number.
    Until(u64),
    /// Something with a name.
    On(Rc<str>),
}

thread_local! {
    static WAIT: RefCell<Wait> = const { RefCell::new(Wait::Unknown) };
}

/// Called by a future that returns `Pending`, so that the watchdog can say what its task waits for.
pub(super) fn note_wait(wait: Wait) {
    WAIT.set(wait);
}

/// The note that the task polled last left.
pub(super) fn take_wait() -> Wait {
    WAIT.take()
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wait::Unknown => f.write_str("something without a name"),
            Wait::Edge => f.write_str("an edge, again and again"),
            Wait::Until(cycle) => write!(f, "cycle {cycle}"),
            Wait::On(what) => f.write_str(what),
        }
    }
}

/// Tasks that are due for a poll.
#[derive(Default)]
pub(super) struct Ready {
    queue: Mutex<Vec<u32>>,
    /// The queue may hold something: spares the lock in a clock in which all sleep.
    any: AtomicBool,
    /// Somebody called a waker: a sign of life for the watchdog.
    woken: AtomicBool,
}

impl Ready {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<u32>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if the queue may hold something; false from then on until something is put there.
    #[inline]
    pub(super) fn take_any(&self) -> bool {
        take(&self.any)
    }

    /// True if a waker was called since this was asked last.
    #[inline]
    pub(super) fn take_woken(&self) -> bool {
        take(&self.woken)
    }

    /// Calls `wake`, which is a sign of life only if `counts`.
    pub(super) fn wake(&self, counts: bool, wake: impl FnOnce()) {
        let woken = self.woken.load(Ordering::Relaxed);
        wake();
        self.woken.store(woken || counts, Ordering::Relaxed);
    }
}

/// Not a swap, which would cost a locked instruction every clock. What another thread sets between the two is
/// seen in the next clock at the latest, with its next call.
#[inline]
fn take(flag: &AtomicBool) -> bool {
    let set = flag.load(Ordering::Relaxed);
    if set {
        flag.store(false, Ordering::Relaxed);
    }
    set
}

/// The waker of one task.
pub(super) struct TaskWaker {
    id: u32,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl TaskWaker {
    pub(super) fn new(id: u32, ready: &Arc<Ready>) -> Arc<TaskWaker> {
        Arc::new(TaskWaker {
            id,
            queued: AtomicBool::new(false),
            ready: ready.clone(),
        })
    }

    /// Puts the task on the list, whose lock the caller holds, unless it is there.
    pub(super) fn enqueue(&self, queue: &mut Vec<u32>) {
        // Relaxed: the lock orders these.
        if !self.queued.load(Ordering::Relaxed) {
            self.queued.store(true, Ordering::Relaxed);
            self.ready.any.store(true, Ordering::Relaxed);
            queue.push(self.id);
        }
    }

    /// The task is about to be polled; from here on a wake counts again.
    pub(super) fn dequeued(&self) {
        self.queued.store(false, Ordering::Relaxed);
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.woken.store(true, Ordering::Relaxed);
        self.enqueue(&mut self.ready.lock());
    }
}
