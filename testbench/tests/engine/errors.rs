//! Everything that goes wrong around the engine: bus errors, hosts that are slow, careless or hostile, resets at any time.
//! Each is counted and has its documented outcome, nothing hangs, nothing is written where nothing was posted, and after
//! a reset the engine agrees with the model again.

mod bus;
mod host;
mod reset;

use super::frames::segment;
use super::scene::{built, send, Scene, QUIET};
use super::support::config;
use pagetrain_formats::{regs, Counter, Field};
use pagetrain_testbench::engine::Driver;

fn scene() -> Scene {
    Scene::new(config(64, 128))
}

/// Segments of a flow, long enough to keep the bus busy.
fn flow(from: u32, count: u32) -> Vec<Vec<u8>> {
    built((from..from + count).map(|i| segment(1448 * i, 1448)))
}

async fn counter(driver: &Driver, counter: Counter) -> u64 {
    // Until a sweep has added up what was counted last.
    driver.sim().cycles(512).await;
    driver.counter(counter.code() as usize).await
}

async fn status(driver: &Driver, field: Field) -> bool {
    driver.read(regs::STATUS).await & field.mask() != 0
}

/// After a reset: traffic goes on as if nothing had been, and all agrees with the model.
async fn recovers(driver: &Driver) {
    driver.restart().await;
    send(driver, &flow(0, 20)).await;
    driver.finish(QUIET).await;
}
