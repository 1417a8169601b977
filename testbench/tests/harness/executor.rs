//! Tasks, time, signals.

use crate::designs::{counter, sim};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{pin_mut, select, FutureExt};
use pagetrain_testbench::sim::{seeds, Cancelled, Elapsed, Event, Queue, Sim, SimConfig};
use pagetrain_testbench::verilator::InitialState;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

fn counting() -> Sim {
    sim(&counter(), SimConfig::seed(1))
}

#[test]
fn task_reads_before_and_writes_after_the_edge() {
    let mut sim = counting();
    let (d, q, sum) = (
        sim.signal("d").unwrap(),
        sim.signal("q").unwrap(),
        sim.signal("sum").unwrap(),
    );
    sim.run(async move |sim| {
        d.set(1); // between clocks: at once
        sim.rising_edge().await;
        assert_eq!((d.get(), q.get(), sum.get()), (1, 0, 1));
        d.set(2); // after this edge
        assert_eq!(d.get(), 1, "not yet");
        sim.rising_edge().await;
        assert_eq!((d.get(), q.get(), sum.get()), (2, 1, 3));
        sim.rising_edge().await;
        assert_eq!((q.get(), sum.get()), (2, 4));
    })
    .unwrap();
}

#[test]
fn step_and_settle_give_registered_and_combinational_outputs() {
    let mut sim = counting();
    sim.reset().unwrap();
    let (d, q, sum) = (
        sim.signal("d").unwrap(),
        sim.signal("q").unwrap(),
        sim.signal("sum").unwrap(),
    );
    d.set(5);
    sim.settle();
    assert_eq!(sum.get(), 5);
    sim.step().unwrap();
    assert_eq!((q.get(), sum.get()), (5, 10));
}

#[test]
fn cycles_counts_edges() {
    let mut sim = counting();
    let count = sim.signal("count").unwrap();
    let seen = sim
        .run(async move |sim| {
            let mut seen = Vec::new();
            for clocks in [0, 1, 1, 7, 100] {
                sim.cycles(clocks).await;
                seen.push((sim.cycle(), count.get()));
            }
            seen
        })
        .unwrap();
    // 8 clocks of reset; the counter shows the clocks before the edge.
    assert_eq!(seen, [(8, 0), (9, 0), (10, 1), (17, 8), (117, 108)]);
}

/// What `d` and `q` did when three tasks were started in this order.
fn trace_of(order: [usize; 3]) -> Vec<(u64, u64)> {
    let mut sim = counting();
    let trace = Rc::new(RefCell::new(Vec::new()));
    let tasks = |sim: &Sim, task: usize| {
        let handle = sim.handle();
        let (d, q, stop) = (
            sim.signal("d").unwrap(),
            sim.signal("q").unwrap(),
            sim.signal("stop").unwrap(),
        );
        let trace = trace.clone();
        match task {
            0 => sim.spawn("driver", async move {
                for n in 0..50 {
                    handle.rising_edge().await;
                    d.set((q.get() * 3 + n) & 0xff);
                }
            }),
            1 => sim.spawn("second driver", async move {
                for _ in 0..50 {
                    handle.rising_edge().await;
                    stop.set((d.get() & 1) * 5);
                }
            }),
            _ => sim.spawn("recorder", async move {
                for _ in 0..50 {
                    handle.rising_edge().await;
                    trace.borrow_mut().push((q.get(), stop.get()));
                }
            }),
        };
    };
    for task in order {
        tasks(&sim, task);
    }
    sim.run(async move |sim| sim.cycles(60).await).unwrap();
    trace.take()
}

#[test]
fn signals_are_the_same_when_tasks_run_in_another_order() {
    let trace = trace_of([0, 1, 2]);
    assert_eq!(trace.len(), 50);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(trace_of(order), trace, "{order:?}");
    }
}

#[test]
fn queue_hands_over_in_the_same_clock_and_in_order() {
    let mut sim = counting();
    let queue = Queue::new("numbers");
    let handle = sim.handle();
    let producer = queue.clone();
    sim.spawn("producer", async move {
        for n in 0..10 {
            handle.cycles(2).await;
            producer.put((n, handle.cycle()));
        }
    });
    sim.run(async move |sim| {
        for n in 0..10 {
            assert_eq!(queue.get().await, (n, sim.cycle()));
        }
        assert!(queue.is_empty());
    })
    .unwrap();
}

#[test]
fn every_waiter_gets_one_item_when_several_wait_for_a_queue() {
    let mut sim = counting();
    let queue: Queue<u32> = Queue::new("work");
    let done = Queue::new("done");
    for worker in 0..3 {
        let (queue, done) = (queue.clone(), done.clone());
        sim.spawn(
            "worker",
            async move { done.put((worker, queue.get().await)) },
        );
    }
    let got = sim
        .run(async move |sim| {
            sim.cycles(5).await;
            (10..13).for_each(|item| queue.put(item));
            sim.cycles(1).await;
            std::iter::from_fn(|| done.try_get()).collect::<Vec<_>>()
        })
        .unwrap();
    assert_eq!(got, [(0, 10), (1, 11), (2, 12)]);
}

#[test]
fn event_wakes_all_waiters_when_set() {
    let mut sim = counting();
    let event = Event::new("go");
    let woken = Rc::new(Cell::new(0));
    for _ in 0..4 {
        let (event, woken) = (event.clone(), woken.clone());
        sim.spawn("waiter", async move {
            event.wait().await;
            woken.set(woken.get() + 1);
        });
    }
    sim.run(async move |sim| {
        sim.cycles(3).await;
        assert_eq!(woken.get(), 0);
        event.set();
        sim.cycles(1).await;
        assert_eq!(woken.get(), 4);
        event.wait().await; // already set
        event.clear();
        assert_eq!(
            sim.timeout(4, event.wait()).await,
            Err(Elapsed { cycles: 4 })
        );
    })
    .unwrap();
}

#[test]
fn join_gives_the_result_when_the_task_ends() {
    let mut sim = counting();
    sim.run(async move |sim| {
        let inner = sim.clone();
        let task = sim.spawn("adder", async move {
            inner.cycles(4).await;
            inner.cycle() * 2
        });
        assert!(!task.is_finished());
        let start = sim.cycle();
        assert_eq!(task.await, Ok((start + 4) * 2));
        assert_eq!(
            sim.cycle(),
            start + 4,
            "woken in the clock in which it ended"
        );
    })
    .unwrap();
}

#[test]
fn future_is_dropped_when_its_task_is_cancelled() {
    struct Guard(Rc<Cell<u64>>, pagetrain_testbench::sim::Handle);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.set(self.1.cycle());
        }
    }
    let mut sim = counting();
    let dropped = Rc::new(Cell::new(0));
    let guard = Guard(dropped.clone(), sim.handle());
    sim.run(async move |sim| {
        let inner = sim.clone();
        let task = sim.spawn("sleeper", async move {
            inner.cycles(1000).await;
            drop(guard);
        });
        sim.cycles(5).await;
        task.cancel();
        let now = sim.cycle();
        assert_eq!(task.await, Err(Cancelled));
        assert_eq!(
            (sim.cycle(), dropped.get()),
            (now, now),
            "in the same clock"
        );
    })
    .unwrap();
}

#[test]
fn tasks_are_dropped_when_the_simulation_is() {
    let sim = counting();
    let alive = Rc::new(());
    let (held, handle) = (alive.clone(), sim.handle());
    sim.spawn("holder", async move {
        handle.cycles(10).await;
        drop(held);
    });
    assert_eq!(Rc::strong_count(&alive), 2);
    drop(sim);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn timeout_gives_the_value_when_the_future_is_first() {
    let mut sim = counting();
    sim.run(async move |sim| {
        assert_eq!(sim.timeout(10, sim.cycles(4)).await, Ok(()));
        let start = sim.cycle();
        assert_eq!(
            sim.timeout(4, sim.cycles(10)).await,
            Err(Elapsed { cycles: 4 })
        );
        assert_eq!(sim.cycle(), start + 4);
        // Each leaves a timer far ahead; they must not pile up, nor keep the watchdog still.
        for _ in 0..20_000 {
            sim.timeout(1_000_000, sim.rising_edge()).await.unwrap();
        }
    })
    .unwrap();
    let mut sim = crate::designs::sim(
        &counter(),
        SimConfig {
            idle_limit: 30,
            ..SimConfig::seed(1)
        },
    );
    let queue: Queue<()> = Queue::new("never");
    let error = sim.run(async move |sim| {
        sim.timeout(1_000_000, sim.rising_edge()).await.unwrap();
        queue.get().await
    });
    assert!(error.is_err_and(|error| error.to_string().contains("nothing moved")));
}

#[test]
fn combinators_of_other_crates_work_inside_tasks() {
    let mut sim = counting();
    sim.run(async move |sim| {
        let start = sim.cycle();
        let (short, long) = (sim.cycles(3).fuse(), sim.cycles(9).fuse());
        pin_mut!(short, long);
        let first = select! { () = short => "short", () = long => "long" };
        assert_eq!((first, sim.cycle()), ("short", start + 3));
        futures_util::join!(sim.cycles(2), sim.rising_edge(), sim.cycles(5));
        assert_eq!(sim.cycle(), start + 8);

        // Its children have wakers of their own.
        let mut set = FuturesUnordered::new();
        for clocks in [5u64, 1, 3] {
            let sim = &sim;
            set.push(async move {
                for _ in 0..clocks {
                    sim.rising_edge().await;
                }
                clocks
            });
        }
        let mut order = Vec::new();
        while let Some(clocks) = set.next().await {
            order.push(clocks);
        }
        assert_eq!((order, sim.cycle()), (vec![1, 3, 5], start + 13));
    })
    .unwrap();
}

#[test]
fn main_may_borrow_and_tasks_go_on_when_it_runs_twice() {
    let mut sim = counting();
    let mut seen = Vec::new();
    let ticks = Rc::new(Cell::new(0));
    let (handle, counter) = (sim.handle(), ticks.clone());
    sim.spawn("ticker", async move {
        loop {
            handle.rising_edge().await;
            counter.set(counter.get() + 1);
        }
    });
    sim.run(async |sim| {
        sim.cycles(10).await;
        seen.push(ticks.get());
    })
    .unwrap();
    sim.run(async |sim| {
        sim.cycles(10).await;
        seen.push(ticks.get());
    })
    .unwrap();
    assert_eq!(seen, [10, 20]);
}

#[test]
fn reset_shows_its_effect_and_forgotten_state_is_random() {
    let mut free = Vec::new();
    for seed in seeds(4) {
        let mut sim = sim(&counter(), SimConfig::seed(seed));
        let (count, never_reset) = (sim.signal("count").unwrap(), sim.signal("free").unwrap());
        sim.run(async |sim| {
            sim.cycles(20).await;
            assert_eq!(count.get(), 19);
            free.push(never_reset.get());
            sim.pulse_reset(3).await;
            sim.rising_edge().await;
            assert_eq!(count.get(), 0);
        })
        .unwrap();
    }
    assert_eq!(free[0], 27, "seed 0 begins with zeros");
    free.sort_unstable();
    free.dedup();
    assert_eq!(free.len(), 4, "each seed has its own initial state");
}

#[test]
fn initial_state_is_as_told() {
    for (initial, expected) in [(InitialState::Zeros, 0), (InitialState::Ones, 0xffff)] {
        let config = SimConfig {
            initial: Some(initial),
            ..SimConfig::seed(9)
        };
        let sim = sim(&counter(), config);
        assert_eq!(sim.signal("free").unwrap().get(), expected);
    }
}

#[test]
fn wide_ports_read_back_what_was_written_in_every_view() {
    let mut sim = counting();
    let (wide, wide_q) = (sim.wide("wide").unwrap(), sim.wide("wide_q").unwrap());
    let mut rng = sim.rng("wide");
    sim.run(async move |sim| {
        for _ in 0..50 {
            let mut bytes = rng.bytes(38);
            bytes[37] &= 0xf;
            wide.write(&bytes);
            sim.cycles(2).await;
            let mut read = [0; 38];
            wide_q.read(&mut read);
            assert_eq!(read[..], bytes[..]);
            assert!(wide_q.starts_with(&bytes[..9]));
            let words: Vec<u32> = (0..10).map(|n| wide_q.word(n)).collect();
            assert_eq!(words, wide_q.words());
            assert_eq!(
                words[0],
                u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
            );
            let bits = wide_q.bits();
            assert_eq!(bits.len(), 300);
            for lsb in [0, 1, 31, 63, 200, 236] {
                let field = wide_q.field(lsb, 64);
                let expected = (0..64).fold(0u64, |value, n| {
                    value | u64::from(bits[lsb as usize + n]) << n
                });
                assert_eq!(field, expected, "field at {lsb}");
            }
            wide.set_words(&[0]);
            sim.cycles(2).await;
            assert_eq!(wide_q.field(0, 64) | wide_q.field(236, 64), 0);
            wide.set_bits(&bits);
            sim.cycles(2).await;
            assert_eq!(wide_q.bits(), bits);
        }
    })
    .unwrap();
}
