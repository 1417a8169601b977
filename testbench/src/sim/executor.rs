//! The task executor: single-threaded, deterministic, awake tasks only.
//!
//! A wake puts a task's number on the ready list once; tasks run in the order in which they were woken, at
//! edges in the order in which they began to wait. Wakers are ordinary `Arc` wakers, so futures from other
//! crates (`select!`, `join!`, `FuturesUnordered`) work inside tasks.

use super::timers::Timers;
use super::waker::{note_wait, take_wait, Ready, TaskWaker, Wait};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

pub(super) type Task = Pin<Box<dyn Future<Output = ()>>>;
/// The future of `Sim::run`, which may borrow from the caller; polled as task 0.
pub(super) type MainTask<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// More polls than this in one clock mean that tasks wake one another for ever.
const POLLS_PER_CLOCK: usize = 10_000_000;

struct Slot {
    name: Rc<str>,
    flag: Arc<TaskWaker>,
    /// `None` while the task is being polled, and in a free slot.
    parked: Option<(Task, Waker)>,
    wait: Wait,
    live: bool,
}

pub(super) struct Executor {
    slots: RefCell<Vec<Slot>>,
    free: RefCell<Vec<u32>>,
    ready: Arc<Ready>,
    batch: Cell<Vec<u32>>,
    edge: RefCell<Vec<u32>>,
    edge_wakers: RefCell<Vec<Waker>>,
    pub(super) timers: Timers,
    /// Number and waker identity of the task that is being polled.
    current: Cell<(u32, *const ())>,
    main_waker: Waker,
    cycle: Cell<u64>,
}

impl Executor {
    /// `long_sleep`: a sleep of so many clocks is a sign of life to the watchdog, a shorter one may be a loop that
    /// polls for what never comes.
    pub(super) fn new(long_sleep: u64) -> Executor {
        let ready = Arc::new(Ready::default());
        let main = TaskWaker::new(0, &ready);
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
            timers: Timers::new(long_sleep),
            current: Cell::new((u32::MAX, std::ptr::null())),
            main_waker,
            cycle: Cell::new(0),
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
        let flag = TaskWaker::new(id, &self.ready);
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
            let mut queue = self.ready.lock();
            for id in edge.drain(..) {
                slots[id as usize].flag.enqueue(&mut queue);
            }
        }
        let wakers = &mut *self.edge_wakers.borrow_mut();
        if !wakers.is_empty() {
            wakers.drain(..).for_each(Waker::wake);
        }
        self.timers.fire(now, &self.ready);
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
        self.timers
            .set(self.cycle.get(), cycle, live, cx.waker().clone());
    }

    /// True if a waker was called since this was asked last.
    pub(super) fn take_woken(&self) -> bool {
        self.ready.take_woken()
    }

    /// Polls ready tasks until none is left.
    #[inline]
    pub(super) fn run_ready(&self, main: &mut Option<MainTask<'_>>) {
        if self.ready.take_any() {
            self.poll_ready(main);
        }
    }

    fn poll_ready(&self, main: &mut Option<MainTask<'_>>) {
        let mut batch = self.batch.take();
        let mut polls = 0;
        loop {
            std::mem::swap(&mut *self.ready.lock(), &mut batch);
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
            slot.flag.dequeued();
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
                slot.wait = take_wait();
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
            self.slots.borrow_mut()[0].wait = take_wait();
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
        let describe = |slot: &Slot| format!("task `{}` waits for {}", slot.name, slot.wait);
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
