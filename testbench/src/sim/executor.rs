//! The task executor: single-threaded, deterministic, awake tasks only.
//!
//! A wake puts a task's number on the ready list once; tasks run in the order in which they were woken, at
//! edges in the order in which they began to wait. Wakers are ordinary `Arc` wakers, so futures from other
//! crates (`select!`, `join!`, `FuturesUnordered`) work inside tasks.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

pub(super) type Task = Pin<Box<dyn Future<Output = ()>>>;
/// The future of `Sim::run`, which may borrow from the caller; polled as task 0.
pub(super) type MainTask<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// More polls than this in one clock mean that tasks wake one another for ever.
const POLLS_PER_CLOCK: usize = 10_000_000;

/// What a pending task waits for, noted by the future that made it wait.
#[derive(Clone, Debug, Default)]
pub(super) enum Wait {
    #[default]
    Unknown,
    Edge,
    Until(u64),
    On(Rc<str>),
}

thread_local! {
    static WAIT: RefCell<Wait> = const { RefCell::new(Wait::Unknown) };
}

/// Called by a future that returns `Pending`, so that the watchdog can say what its task waits for.
pub(super) fn note_wait(wait: Wait) {
    WAIT.set(wait);
}

#[derive(Default)]
struct Ready {
    queue: Mutex<Vec<u32>>,
    /// The queue may hold something: spares the lock in a clock in which all sleep.
    any: AtomicBool,
    /// Somebody called a waker: a sign of life for the watchdog.
    woken: AtomicBool,
}

struct TaskWaker {
    id: u32,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl TaskWaker {
    fn enqueue(&self, queue: &mut Vec<u32>) {
        // Relaxed: the queue's mutex, which the caller holds, orders these.
        if !self.queued.load(Ordering::Relaxed) {
            self.queued.store(true, Ordering::Relaxed);
            self.ready.any.store(true, Ordering::Relaxed);
            queue.push(self.id);
        }
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.woken.store(true, Ordering::Relaxed);
        self.enqueue(
            &mut self
                .ready
                .queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

struct Slot {
    name: Rc<str>,
    flag: Arc<TaskWaker>,
    /// `None` while the task is being polled, and in a free slot.
    parked: Option<(Task, Waker)>,
    wait: Wait,
    live: bool,
}

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

pub(super) struct Executor {
    slots: RefCell<Vec<Slot>>,
    free: RefCell<Vec<u32>>,
    ready: Arc<Ready>,
    batch: Cell<Vec<u32>>,
    edge: RefCell<Vec<u32>>,
    edge_wakers: RefCell<Vec<Waker>>,
    timers: RefCell<BinaryHeap<Reverse<Timer>>>,
    /// Edge of the first timer; `u64::MAX` for none.
    next_timer: Cell<u64>,
    timer_order: Cell<u64>,
    stale_timers: Cell<usize>,
    /// Number and waker identity of the task that is being polled.
    current: Cell<(u32, *const ())>,
    main_waker: Waker,
    cycle: Cell<u64>,
    /// Clocks from which on a sleep is long.
    long_sleep: u64,
}

impl Executor {
    /// `long_sleep`: a sleep of so many clocks is a sign of life to the watchdog, a shorter one may be a loop that
    /// polls for what never comes.
    pub(super) fn new(long_sleep: u64) -> Executor {
        let ready = Arc::new(Ready::default());
        let main = Arc::new(TaskWaker {
            id: 0,
            queued: AtomicBool::new(false),
            ready: ready.clone(),
        });
        let main_waker = Waker::from(main.clone());
        let slot = Slot {
            name: "main".into(),
            flag: main,
            parked: None,
            wait: Wait::Unknown,
            live: false,
        };
        Executor {
            slots: RefCell::new(vec![slot]),
            free: RefCell::default(),
            ready,
            batch: Cell::default(),
            edge: RefCell::default(),
            edge_wakers: RefCell::default(),
            timers: RefCell::default(),
            next_timer: Cell::new(u64::MAX),
            timer_order: Cell::new(0),
            stale_timers: Cell::new(0),
            current: Cell::new((u32::MAX, std::ptr::null())),
            main_waker,
            cycle: Cell::new(0),
            long_sleep,
        }
    }

    /// Number of the last edge reached.
    #[inline]
    pub(super) fn cycle(&self) -> u64 {
        self.cycle.get()
    }

    /// Adds a task, to be polled first when tasks run next.
    pub(super) fn spawn(&self, name: &str, make: impl FnOnce(Waker) -> Task) {
        let slots = &mut *self.slots.borrow_mut();
        let id = self.free.borrow_mut().pop().unwrap_or(slots.len() as u32);
        let flag = Arc::new(TaskWaker {
            id,
            queued: AtomicBool::new(false),
            ready: self.ready.clone(),
        });
        let waker = Waker::from(flag.clone());
        let task = make(waker.clone());
        let slot = Slot {
            name: name.into(),
            flag,
            parked: Some((task, waker)),
            wait: Wait::Unknown,
            live: true,
        };
        slot.flag.wake_by_ref();
        match slots.get_mut(id as usize) {
            Some(old) => *old = slot,
            None => slots.push(slot),
        }
    }

    /// Marks task 0 as present, and due for a poll.
    pub(super) fn start_main(&self) {
        self.slots.borrow_mut()[0].live = true;
        self.main_waker.wake_by_ref();
    }

    pub(super) fn end_main(&self) {
        self.slots.borrow_mut()[0].live = false;
    }

    /// Begins the next edge: who waits for it, or sleeps until it, becomes ready.
    pub(super) fn begin_edge(&self) {
        let now = self.cycle.get() + 1;
        self.cycle.set(now);
        let edge = &mut *self.edge.borrow_mut();
        if !edge.is_empty() {
            let slots = self.slots.borrow();
            let mut queue = self
                .ready
                .queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for id in edge.drain(..) {
                slots[id as usize].flag.enqueue(&mut queue);
            }
        }
        let wakers = &mut *self.edge_wakers.borrow_mut();
        if !wakers.is_empty() {
            wakers.drain(..).for_each(Waker::wake);
        }
        if now >= self.next_timer.get() {
            self.fire_timers(now);
        }
    }

    fn fire_timers(&self, now: u64) {
        let timers = &mut *self.timers.borrow_mut();
        while timers
            .peek()
            .is_some_and(|Reverse(timer)| timer.cycle <= now)
        {
            if let Some(Reverse(timer)) = timers.pop() {
                if timer.live.get() {
                    let woken = self.ready.woken.load(Ordering::Relaxed);
                    timer.waker.wake();
                    self.ready
                        .woken
                        .store(woken || timer.long, Ordering::Relaxed);
                } else {
                    self.stale_timers.set(self.stale_timers.get() - 1);
                }
            }
        }
        self.next_timer
            .set(timers.peek().map_or(u64::MAX, |Reverse(timer)| timer.cycle));
    }

    /// The polled task waits for the next edge.
    #[inline]
    pub(super) fn await_edge(&self, cx: &Context<'_>) {
        let (id, waker) = self.current.get();
        if cx.waker().data() == waker {
            self.edge.borrow_mut().push(id);
            note_wait(Wait::Edge);
        } else {
            // Inside a combinator that tells its children apart by waker.
            self.edge_wakers.borrow_mut().push(cx.waker().clone());
        }
    }

    /// Wakes the polled task at edge `cycle`, unless `live` is cleared before.
    pub(super) fn await_cycle(&self, cycle: u64, live: Rc<Cell<bool>>, cx: &Context<'_>) {
        self.next_timer.set(self.next_timer.get().min(cycle));
        let order = self.timer_order.get();
        self.timer_order.set(order + 1);
        self.timers.borrow_mut().push(Reverse(Timer {
            cycle,
            order,
            waker: cx.waker().clone(),
            live,
            long: cycle - self.cycle.get() >= self.long_sleep,
        }));
    }

    /// A timer's future was dropped; when most timers are such, they are swept out.
    pub(super) fn forget_timer(&self) {
        self.stale_timers.set(self.stale_timers.get() + 1);
        if let Ok(mut timers) = self.timers.try_borrow_mut() {
            if self.stale_timers.get() > timers.len() / 2 + 16 {
                timers.retain(|Reverse(timer)| timer.live.get());
                self.stale_timers.set(0);
            }
        }
    }

    /// True if some task is in a long sleep.
    pub(super) fn in_long_sleep(&self) -> bool {
        let timers = self.timers.borrow();
        timers
            .iter()
            .any(|Reverse(timer)| timer.long && timer.live.get())
    }

    /// True if a waker was called since this was asked last.
    pub(super) fn take_woken(&self) -> bool {
        // Not a swap, which would cost a locked instruction every clock: a waker called from another thread
        // between the two is a sign of life in the next clock.
        let woken = self.ready.woken.load(Ordering::Relaxed);
        if woken {
            self.ready.woken.store(false, Ordering::Relaxed);
        }
        woken
    }

    /// Polls ready tasks until none is left.
    #[inline]
    pub(super) fn run_ready(&self, main: &mut Option<MainTask<'_>>) {
        if self.ready.any.load(Ordering::Relaxed) {
            self.ready.any.store(false, Ordering::Relaxed);
            self.poll_ready(main);
        }
    }

    fn poll_ready(&self, main: &mut Option<MainTask<'_>>) {
        let mut batch = self.batch.take();
        let mut polls = 0;
        loop {
            std::mem::swap(
                &mut *self
                    .ready
                    .queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner),
                &mut batch,
            );
            if batch.is_empty() {
                break;
            }
            polls += batch.len();
            assert!(
                polls < POLLS_PER_CLOCK,
                "tasks wake one another without end within one clock"
            );
            for id in batch.drain(..) {
                self.poll(id, main);
            }
        }
        self.batch.set(batch);
    }

    fn poll(&self, id: u32, main: &mut Option<MainTask<'_>>) {
        let parked = {
            let slot = &mut self.slots.borrow_mut()[id as usize];
            slot.flag.queued.store(false, Ordering::Relaxed);
            slot.parked.take()
        };
        let Some((mut task, waker)) = parked else {
            if id == 0 {
                self.poll_main(main);
            }
            return;
        };
        self.current.set((id, waker.data()));
        let poll = task.as_mut().poll(&mut Context::from_waker(&waker));
        self.current.set((u32::MAX, std::ptr::null()));
        let slot = &mut self.slots.borrow_mut()[id as usize];
        match poll {
            Poll::Pending => {
                slot.parked = Some((task, waker));
                slot.wait = WAIT.take();
            }
            Poll::Ready(()) => {
                slot.live = false;
                self.free.borrow_mut().push(id);
            }
        }
    }

    fn poll_main(&self, main: &mut Option<MainTask<'_>>) {
        let Some(task) = main else { return };
        self.current.set((0, self.main_waker.data()));
        let poll = task
            .as_mut()
            .poll(&mut Context::from_waker(&self.main_waker));
        self.current.set((u32::MAX, std::ptr::null()));
        if poll.is_ready() {
            *main = None;
        } else {
            self.slots.borrow_mut()[0].wait = WAIT.take();
        }
    }

    /// Name of the task that is being polled.
    pub(super) fn current_name(&self) -> Option<String> {
        let (id, _) = self.current.get();
        self.slots
            .borrow()
            .get(id as usize)
            .map(|slot| format!("task `{}`", slot.name))
    }

    /// Every live task and what it waits for.
    pub(super) fn pending(&self) -> Vec<String> {
        let describe = |slot: &Slot| {
            let wait = match &slot.wait {
                Wait::Unknown => "something without a name".to_owned(),
                Wait::Edge => "an edge, again and again".to_owned(),
                Wait::Until(cycle) => format!("cycle {cycle}"),
                Wait::On(what) => what.to_string(),
            };
            format!("task `{}` waits for {wait}", slot.name)
        };
        self.slots
            .borrow()
            .iter()
            .filter(|slot| slot.live)
            .map(describe)
            .collect()
    }

    /// Drops all tasks. They may hold handles of the simulation that owns this executor.
    pub(super) fn clear(&self) {
        // A task's destructor may spawn or wake: nothing is borrowed while it runs.
        loop {
            let tasks: Vec<_> = self
                .slots
                .borrow_mut()
                .iter_mut()
                .filter_map(|slot| slot.parked.take())
                .collect();
            if tasks.is_empty() {
                return;
            }
        }
    }
}
