//! Sleeping tasks.

use super::waker::Ready;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::task::Waker;

struct Timer {
    cycle: u64,
    order: u64,
    waker: Waker,
    /// Cleared when the sleeping future is dropped.
    live: Rc<Cell<bool>>,
    /// A sleep longer than the watchdog waits, so on purpose.
    long: bool,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.order == other.order
    }
}
impl Eq for Timer {}
impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timer {
    fn cmp(&self, other: &Timer) -> std::cmp::Ordering {
        (self.cycle, self.order).cmp(&(other.cycle, other.order))
    }
}

/// Timers of one simulation, by edge and then by the order in which they were set.
pub(super) struct Timers {
    heap: RefCell<BinaryHeap<Reverse<Timer>>>,
    /// Edge of the first one; `u64::MAX` for none.
    next: Cell<u64>,
    order: Cell<u64>,
    /// Timers whose future was dropped.
    stale: Cell<usize>,
    /// Clocks from which on a sleep is long.
    long_sleep: u64,
}

impl Timers {
    pub(super) fn new(long_sleep: u64) -> Timers {
        Timers {
            heap: RefCell::default(),
            next: Cell::new(u64::MAX),
            order: Cell::new(0),
            stale: Cell::new(0),
            long_sleep,
        }
    }

    /// Calls `waker` at edge `cycle`, unless `live` is cleared before.
    pub(super) fn set(&self, now: u64, cycle: u64, live: Rc<Cell<bool>>, waker: Waker) {
        self.next.set(self.next.get().min(cycle));
        let order = self.order.get();
        self.order.set(order + 1);
        self.heap.borrow_mut().push(Reverse(Timer {
            cycle,
            order,
            waker,
            live,
            long: cycle - now >= self.long_sleep,
        }));
    }

    /// Edge `now` has come.
    #[inline]
    pub(super) fn fire(&self, now: u64, ready: &Ready) {
        if now >= self.next.get() {
            self.fire_due(now, ready);
        }
    }

    fn fire_due(&self, now: u64, ready: &Ready) {
        let heap = &mut *self.heap.borrow_mut();
        while heap.peek().is_some_and(|Reverse(timer)| timer.cycle <= now) {
            if let Some(Reverse(timer)) = heap.pop() {
                match timer.live.get() {
                    true => ready.wake(timer.long, || timer.waker.wake()),
                    false => self.stale.set(self.stale.get() - 1),
                }
            }
        }
        self.next
            .set(heap.peek().map_or(u64::MAX, |Reverse(timer)| timer.cycle));
    }

    /// A timer's future was dropped; when most timers are such, they are swept out.
    pub(super) fn forget(&self) {
        self.stale.set(self.stale.get() + 1);
        if let Ok(mut heap) = self.heap.try_borrow_mut() {
            if self.stale.get() > heap.len() / 2 + 16 {
                heap.retain(|Reverse(timer)| timer.live.get());
                self.stale.set(0);
            }
        }
    }

    /// True if some task is in a long sleep.
    pub(super) fn in_long_sleep(&self) -> bool {
        let heap = self.heap.borrow();
        heap.iter()
            .any(|Reverse(timer)| timer.long && timer.live.get())
    }
}
