//! The processes over the store.

use diesel::prelude::*;
use tillgate_auth_core::ports::{Cursor, Node, Nodes};
use tillgate_domain::{Instant, NodeId, Stored};

use crate::failure::classify;
use crate::row::Cell;
use crate::schema::nodes;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const NOTE: &str = "INSERT INTO nodes (id, applied, seen_at) VALUES ($1, $2, $3) \
     ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, seen_at = excluded.seen_at";

impl Nodes for Transaction<'_> {
    fn note(&mut self, node: &Node) -> Stored<()> {
        self.run(&Statement::new(NOTE, [Bind::from(&node.id.0), node.applied.0.into(), node.seen_at.into()])).map(drop)
    }

    fn live(&mut self, since: Instant) -> Stored<Vec<Node>> {
        let rows: Vec<(Vec<u8>, i64, i64)> = nodes::table
            .filter(nodes::seen_at.ge(since.millis()))
            .order(nodes::id)
            .load(self.connection)
            .map_err(classify)?;
        let node = |(id, applied, seen_at): (Vec<u8>, i64, i64)| {
            let id = NodeId(Cell("nodes", "id").uuid(&id)?);
            Ok(Node { id, applied: Cursor(applied), seen_at: Instant::from_millis(seen_at) })
        };
        rows.into_iter().map(node).collect()
    }

    fn leave(&mut self, id: NodeId) -> Stored<()> {
        let gone = nodes::table.find(id.0.as_bytes().as_slice());
        diesel::delete(gone).execute(self.writing()?).map_err(classify)?;
        Ok(())
    }
}
