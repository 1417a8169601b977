//! What tasks and components use to talk: [`Queue`], [`Event`], [`JoinHandle`].

use super::waker::{note_wait, Wait};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Tasks that wait for something, woken all at once in the order of their waiting.
#[derive(Default)]
struct Waiters(RefCell<Vec<Waker>>);

impl Waiters {
    fn wait(&self, what: &Rc<str>, cx: &Context<'_>) {
        let waiters = &mut *self.0.borrow_mut();
        if !waiters.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiters.push(cx.waker().clone());
        }
        note_wait(Wait::On(what.clone()));
    }

    #[inline]
    fn wake(&self) {
        self.0.borrow_mut().drain(..).for_each(Waker::wake);
    }
}

/// An unbounded queue. Clones are handles of the same queue.
pub struct Queue<T>(Rc<QueueState<T>>);

struct QueueState<T> {
    name: Rc<str>,
    items: RefCell<VecDeque<T>>,
    waiters: Waiters,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue(self.0.clone())
    }
}

impl<T> Queue<T> {
    /// An empty queue; the watchdog names it `name`.
    pub fn new(name: &str) -> Queue<T> {
        let name = format!("an item in queue `{name}`").into();
        Queue(Rc::new(QueueState {
            name,
            items: RefCell::default(),
            waiters: Waiters::default(),
        }))
    }

    /// Appends an item and wakes who waits.
    #[inline]
    pub fn put(&self, item: T) {
        self.0.items.borrow_mut().push_back(item);
        self.0.waiters.wake();
    }

    /// Takes the oldest item, if there is one.
    #[inline]
    pub fn try_get(&self) -> Option<T> {
        self.0.items.borrow_mut().pop_front()
    }

    /// Waits for the oldest item. Of several waiters each item goes to one.
    pub async fn get(&self) -> T {
        poll_fn(|cx| match self.try_get() {
            Some(item) => Poll::Ready(item),
            None => {
                self.0.waiters.wait(&self.0.name, cx);
                Poll::Pending
            }
        })
        .await
    }

    /// Items in the queue.
    pub fn len(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// True if the queue holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A flag that tasks can wait for. Clones are handles of the same flag.
#[derive(Clone)]
pub struct Event(Rc<EventState>);

struct EventState {
    name: Rc<str>,
    set: Cell<bool>,
    waiters: Waiters,
}

impl Event {
    /// A flag that is not set; the watchdog names it `name`.
    pub fn new(name: &str) -> Event {
        let name = format!("event `{name}`").into();
        Event(Rc::new(EventState {
            name,
            set: Cell::new(false),
            waiters: Waiters::default(),
        }))
    }

    /// Sets the flag and wakes who waits.
    pub fn set(&self) {
        self.0.set.set(true);
        self.0.waiters.wake();
    }

    /// Clears the flag.
    pub fn clear(&self) {
        self.0.set.set(false);
    }

    /// True if the flag is set.
    pub fn is_set(&self) -> bool {
        self.0.set.get()
    }

    /// Waits until the flag is set.
    pub async fn wait(&self) {
        poll_fn(|cx| {
            if self.is_set() {
                return Poll::Ready(());
            }
            self.0.waiters.wait(&self.0.name, cx);
            Poll::Pending
        })
        .await
    }
}

/// The task was cancelled before it had a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task was cancelled")]
pub struct Cancelled;

struct Join<T> {
    name: Rc<str>,
    result: RefCell<Option<Result<T, Cancelled>>>,
    finished: Cell<bool>,
    cancel: Cell<bool>,
    waiters: Waiters,
}

/// A spawned task. Awaiting it gives its result; dropping it lets the task go on.
pub struct JoinHandle<T> {
    join: Rc<Join<T>>,
    task: Waker,
}

impl<T> JoinHandle<T> {
    /// Ends the task at once if it waits, else at its next await: its future is dropped before the clock ends.
    pub fn cancel(&self) {
        self.join.cancel.set(true);
        self.task.wake_by_ref();
    }

    /// True once the task has ended, either way.
    pub fn is_finished(&self) -> bool {
        self.join.finished.get()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.join.result.borrow_mut().take() {
            return Poll::Ready(result);
        }
        self.join.waiters.wait(&self.join.name, cx);
        Poll::Pending
    }
}

/// A task's future together with the place for its result.
pub(super) struct Spawned<F: Future> {
    future: Option<Pin<Box<F>>>,
    join: Rc<Join<F::Output>>,
}

impl<F: Future> Spawned<F> {
    pub(super) fn new(name: &str, future: F, task: Waker) -> (Spawned<F>, JoinHandle<F::Output>) {
        let join = Rc::new(Join {
            name: format!("task `{name}` to end").into(),
            result: RefCell::new(None),
            finished: Cell::new(false),
            cancel: Cell::new(false),
            waiters: Waiters::default(),
        });
        (
            Spawned {
                future: Some(Box::pin(future)),
                join: join.clone(),
            },
            JoinHandle { join, task },
        )
    }

    fn finish(&mut self, result: Result<F::Output, Cancelled>) -> Poll<()> {
        self.future = None;
        *self.join.result.borrow_mut() = Some(result);
        self.join.finished.set(true);
        self.join.waiters.wake();
        Poll::Ready(())
    }
}

impl<F: Future> Future for Spawned<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.join.cancel.get() {
            return self.finish(Err(Cancelled));
        }
        let Some(future) = &mut self.future else {
            return Poll::Ready(());
        };
        match future.as_mut().poll(cx) {
            Poll::Ready(value) => self.finish(Ok(value)),
            Poll::Pending => Poll::Pending,
        }
    }
}
