//! Which burst is answered next: due, and the oldest of its ID.

use crate::Rng;
use std::collections::VecDeque;

/// Bursts in the order of their addresses, with the edge from which each may be answered.
#[derive(Default)]
pub(super) struct Order {
    /// (ID, edge). Within an ID the edges grow, so that a burst that is due has no older one that is not.
    bursts: VecDeque<(u64, u64)>,
    /// The smallest edge.
    next: u64,
    /// Scratch.
    eligible: Vec<usize>,
}

impl Order {
    pub(super) fn clear(&mut self) {
        self.bursts.clear();
    }

    /// Adds a burst, the youngest.
    pub(super) fn push(&mut self, id: u64, at: u64) {
        let older = self.bursts.iter().rev().find(|burst| burst.0 == id);
        let at = older.map_or(at, |burst| burst.1.max(at));
        self.next = if self.bursts.is_empty() {
            at
        } else {
            self.next.min(at)
        };
        self.bursts.push_back((id, at));
    }

    /// Index of a burst to be answered at edge `now`. `reorder`: any ID, at random; else the oldest of all.
    #[inline]
    pub(super) fn choose(&mut self, now: u64, reorder: bool, rng: &mut Rng) -> Option<usize> {
        if self.bursts.is_empty() || now < self.next {
            return None;
        }
        if !reorder {
            return (self.bursts[0].1 <= now).then_some(0);
        }
        self.eligible.clear();
        for (index, &(id, at)) in self.bursts.iter().enumerate() {
            if at <= now && self.bursts.range(..index).all(|older| older.0 != id) {
                self.eligible.push(index);
            }
        }
        match self.eligible.len() {
            1 => Some(self.eligible[0]),
            _ => Some(*rng.pick(&self.eligible)),
        }
    }

    /// The burst has been answered.
    pub(super) fn remove(&mut self, index: usize) {
        self.bursts.remove(index);
        self.next = self.bursts.iter().map(|burst| burst.1).min().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_holds_within_an_id_and_varies_across() {
        let mut rng = Rng::new(1, "order");
        let mut first = [0; 2];
        for _ in 0..300 {
            let mut order = Order::default();
            let bursts = [(0, 5), (1, 5), (0, 2), (2, 30), (1, 3)];
            bursts.iter().for_each(|&(id, at)| order.push(id, at));
            let mut left: Vec<usize> = (0..5).collect();
            let mut answered = Vec::new();
            for now in 0..40 {
                if let Some(index) = order.choose(now, true, &mut rng) {
                    assert!(now >= bursts[left[index]].1);
                    order.remove(index);
                    answered.push(left.remove(index));
                }
            }
            let place = |burst| answered.iter().position(|&b| b == burst);
            assert_eq!(answered.len(), 5);
            assert!(place(0) < place(2) && place(1) < place(4));
            first[answered[0]] += 1;
        }
        assert!(
            first[0] > 100 && first[1] > 100,
            "either of two IDs: {first:?}"
        );
    }

    #[test]
    fn oldest_is_answered_first_when_not_reordered() {
        let mut rng = Rng::new(1, "order");
        let mut order = Order::default();
        order.push(0, 9);
        order.push(1, 2);
        assert_eq!(order.choose(5, false, &mut rng), None);
        assert_eq!(order.choose(9, false, &mut rng), Some(0));
    }
}
