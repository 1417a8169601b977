//! Futures over time: the next edge, a number of clocks, a limit.

use super::executor::Executor;
use super::waker::{note_wait, Wait};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Future of [`Handle::rising_edge`](super::Handle::rising_edge).
#[must_use = "a future does nothing unless awaited"]
pub struct RisingEdge<'a> {
    pub(super) executor: &'a Executor,
    pub(super) armed: Option<u64>,
}

impl Future for RisingEdge<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.executor.cycle();
        // A poll in the clock in which it was armed is somebody else's wake.
        if *self.armed.get_or_insert(now) < now {
            return Poll::Ready(());
        }
        self.executor.await_edge(cx);
        Poll::Pending
    }
}

/// Future of [`Handle::cycles`](super::Handle::cycles).
#[must_use = "a future does nothing unless awaited"]
pub struct Cycles<'a> {
    executor: &'a Executor,
    count: u64,
    /// Edge at which it ends, once polled.
    until: Option<u64>,
    timer: Option<Rc<Cell<bool>>>,
}

impl<'a> Cycles<'a> {
    pub(super) fn new(executor: &'a Executor, count: u64) -> Cycles<'a> {
        Cycles {
            executor,
            count,
            until: None,
            timer: None,
        }
    }

    fn disarm(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.set(false);
            self.executor.timers.forget();
        }
    }
}

impl Future for Cycles<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.executor.cycle();
        let count = self.count;
        let until = *self.until.get_or_insert(now.saturating_add(count));
        if now >= until {
            self.timer = None; // it has fired, or was never set
            return Poll::Ready(());
        }
        // The waker may be another one than last time: the old timer is void.
        self.disarm();
        let live = Rc::new(Cell::new(true));
        self.executor.await_cycle(until, live.clone(), cx);
        self.timer = Some(live);
        note_wait(Wait::Until(until));
        Poll::Pending
    }
}

impl Drop for Cycles<'_> {
    fn drop(&mut self) {
        self.disarm();
    }
}

/// The limit of [`Handle::timeout`](super::Handle::timeout) passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not done after {cycles} clocks")]
pub struct Elapsed {
    /// The limit.
    pub cycles: u64,
}

/// Future of [`Handle::timeout`](super::Handle::timeout).
#[must_use = "a future does nothing unless awaited"]
pub struct Timeout<'a, F> {
    pub(super) limit: Cycles<'a>,
    pub(super) inner: Pin<Box<F>>,
}

impl<F: Future> Future for Timeout<'_, F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The limit first, so that the note of what is waited for is the inner future's.
        let elapsed = Pin::new(&mut self.limit).poll(cx).is_ready();
        if let Poll::Ready(value) = self.inner.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        if elapsed {
            return Poll::Ready(Err(Elapsed {
                cycles: self.limit.count,
            }));
        }
        Poll::Pending
    }
}
