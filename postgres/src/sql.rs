//! The statements, with the schema's name in them.

/// A statement that is sent again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Query {
    Row,
    Rows,
    Numbers,
    List,
    ListAgent,
    ListProject,
    ListParent,
    NamesAny,
    NamesAgent,
    Children,
    CellsUp,
    CellsUpTo,
    CellsDown,
    CellsDownFrom,
    CellsOf,
    AnyCell,
    NextNumbers,
    Lock,
    Token,
    UpdateOne,
    InsertOne,
    EmptyOwners,
    RemoveRows,
    UpdateRows,
    UpdateRow,
    InsertRows,
    PutCells,
    PutNewCells,
    RemoveCells,
    StoreId,
    DiskBytes,
}

/// How many there are.
const COUNT: usize = Query::DiskBytes as usize + 1;

/// The columns of a summary row that its statements write, in their order.
const COLUMNS: &str =
    "agent, id, updated_us, project, parent, listed, pinned, archived, subagent, row";

/// The texts of all statements.
#[derive(Debug)]
pub(crate) struct Sql {
    texts: Vec<String>,
}

impl Sql {
    /// Over the tables of a schema, whose name is quoted already.
    pub(crate) fn new(schema: &str) -> Self {
        let mut texts = vec![String::new(); COUNT];
        let mut put = |query: Query, text: String| {
            if let Some(slot) = texts.get_mut(query as usize) {
                *slot = text;
            }
        };
        reads(schema, &mut put);
        single_reads(schema, &mut put);
        writes(schema, &mut put);
        Self { texts }
    }

    /// The text of a statement.
    pub(crate) fn text(&self, query: Query) -> &str {
        self.texts.get(query as usize).map_or("", String::as_str)
    }
}

/// A list with a condition, newest first: `$1` to `$4` are where it goes on and between which times,
/// `$5` how much; `$6` belongs to the condition.
fn list(schema: &str, condition: &str) -> String {
    format!(
        "SELECT number, version, row FROM {schema}.sessions \
         WHERE listed AND (updated_us, number) < ($1, $2) AND updated_us >= $3 AND updated_us < $4 \
         AND (pinned = $6 OR $6 IS NULL) AND (archived = $7 OR $7 IS NULL){condition} \
         ORDER BY updated_us DESC, number DESC LIMIT $5"
    )
}

fn reads(s: &str, put: &mut dyn FnMut(Query, String)) {
    let seen = "SELECT number, version, row";
    put(
        Query::Row,
        format!("{seen} FROM {s}.sessions WHERE agent = $1 AND id = $2"),
    );
    put(
        Query::Rows,
        format!("{seen} FROM {s}.sessions WHERE number = ANY($1)"),
    );
    put(
        Query::Numbers,
        format!("SELECT number FROM {s}.sessions WHERE number > $1 ORDER BY number LIMIT $2"),
    );
    put(Query::List, list(s, ""));
    put(Query::ListAgent, list(s, " AND agent = $8"));
    put(
        Query::ListProject,
        list(s, " AND project = $8 AND (agent = $9 OR $9 IS NULL)"),
    );
    put(
        Query::ListParent,
        list(
            s,
            " AND parent = $8 AND (agent = $9 OR $9 IS NULL) AND (project = $10 OR $10 IS NULL)",
        ),
    );
    let names = format!(
        "SELECT agent, id FROM {s}.sessions WHERE id >= $1 AND id <= $2 \
         AND id >= $4 AND (id, agent) > ($4, $5)"
    );
    put(
        Query::NamesAny,
        format!("{names} ORDER BY id, agent LIMIT $3"),
    );
    put(
        Query::NamesAgent,
        format!("{names} AND agent = $6 ORDER BY id LIMIT $3"),
    );
    put(
        // As the partial index has its rows; without `listed` all of them would be read.
        Query::Children,
        format!(
            "SELECT agent, parent, count(*), count(*) FILTER (WHERE subagent) FROM {s}.sessions \
             WHERE listed AND parent = ANY($1) AND agent = ANY($2) GROUP BY agent, parent"
        ),
    );
    // Each end as a condition of the index. As `$5 IS NULL OR ...` it would be a filter: of a session, all that
    // lies behind the end would be read and thrown away.
    let cells =
        format!("SELECT key, value FROM {s}.cells WHERE owner = $1 AND tab = $2 AND key >= $3");
    let to = "AND key <= $5";
    put(Query::CellsUp, format!("{cells} ORDER BY key LIMIT $4"));
    put(
        Query::CellsUpTo,
        format!("{cells} {to} ORDER BY key LIMIT $4"),
    );
    put(
        Query::CellsDown,
        format!("{cells} ORDER BY key DESC LIMIT $4"),
    );
    put(
        Query::CellsDownFrom,
        format!("{cells} {to} ORDER BY key DESC LIMIT $4"),
    );
    put(
        Query::CellsOf,
        format!(
            "SELECT owner, key, value FROM {s}.cells WHERE owner = ANY($1) AND tab = $2 \
             ORDER BY owner, key"
        ),
    );
}

/// Reads of one thing each.
fn single_reads(s: &str, put: &mut dyn FnMut(Query, String)) {
    put(
        Query::AnyCell,
        format!(
            "SELECT 1 FROM {s}.cells AS s JOIN unnest($1::bigint[], $2::smallint[], $3::bytea[]) \
             AS c(o, t, k) ON s.owner = c.o AND s.tab = c.t AND s.key = c.k LIMIT 1"
        ),
    );
    put(
        Query::StoreId,
        format!("SELECT value FROM {s}.info WHERE name = 'store_id'"),
    );
    put(
        Query::DiskBytes,
        // The names are literals here, whatever is in them.
        format!(
            "SELECT pg_total_relation_size('{0}.sessions') + pg_total_relation_size('{0}.cells')",
            s.replace('\'', "''")
        ),
    );
    // With a lock, which is a commit that waits for a standby, as the one did that is asked for: what a server
    // shows that has started again may be lost with it.
    put(
        Query::Token,
        format!("SELECT version, token FROM {s}.sessions WHERE number = $1 FOR UPDATE"),
    );
    put(
        Query::Lock,
        format!("SELECT number FROM {s}.sessions WHERE agent = $1 AND id = $2 FOR UPDATE"),
    );
}

fn writes(s: &str, put: &mut dyn FnMut(Query, String)) {
    let cells = format!(
        "INSERT INTO {s}.cells (owner, tab, key, value) \
         SELECT c.o, c.t, c.k, c.v FROM {{from}}unnest($1::bigint[], $2::smallint[], $3::bytea[], \
         $4::bytea[]) AS c(o, t, k, v)"
    );
    let over = "ON CONFLICT (owner, tab, key) DO UPDATE SET value = excluded.value";
    let with_cells = |row: String| {
        let cells = cells.replace("{from}", "done, ");
        format!("WITH done AS ({row}), put AS ({cells} {over}) SELECT number FROM done")
    };
    let alone = cells.replace("{from}", "");
    put(Query::PutCells, format!("{alone} {over}"));
    put(
        Query::PutNewCells,
        format!("{alone} ON CONFLICT (owner, tab, key) DO NOTHING"),
    );
    // The cells that have to be missing are looked up one by one. By `key = ANY($19)` the server may choose to go
    // through all of the session's, as long as it does not know how many there are, and keep to it.
    let missing = format!(
        "NOT EXISTS (SELECT 1 FROM unnest($19::bytea[]) AS k(key), LATERAL (SELECT 1 FROM {s}.cells AS c \
         WHERE c.owner = $5 AND c.tab = $18 AND c.key = k.key LIMIT 1) AS there)"
    );
    // $5 number, $6 the version that was seen, $7 the token, $8 to $17 the columns; $18 and $19 the cells of
    // the session that have to be missing.
    let values = "$8, $9, $10, $11, $12, $13, $14, $15, $16, $17";
    put(
        Query::UpdateOne,
        with_cells(format!(
            "UPDATE {s}.sessions SET version = $6 + 1, token = $7, ({COLUMNS}) = ({values}) \
             WHERE number = $5 AND version = $6 AND {missing} RETURNING number"
        )),
    );
    put(
        Query::InsertOne,
        with_cells(format!(
            "INSERT INTO {s}.sessions (number, version, token, {COLUMNS}) \
             VALUES ($5, $6::bigint + 1, $7, {values}) ON CONFLICT DO NOTHING RETURNING number"
        )),
    );
    put(
        Query::UpdateRow,
        format!(
            "UPDATE {s}.sessions SET version = $2 + 1, token = $3, ({COLUMNS}) = \
             ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13) WHERE number = $1 AND version = $2"
        ),
    );
    many_rows(s, put);
    put(
        Query::EmptyOwners,
        format!("DELETE FROM {s}.cells WHERE owner = ANY($1)"),
    );
    put(
        Query::RemoveCells,
        format!(
            "DELETE FROM {s}.cells AS s USING unnest($1::bigint[], $2::smallint[], $3::bytea[]) \
             AS c(o, t, k) WHERE s.owner = c.o AND s.tab = c.t AND s.key = c.k"
        ),
    );
}

/// Rows as arrays of their columns.
fn many_rows(s: &str, put: &mut dyn FnMut(Query, String)) {
    let many = "unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::text[], $5::bytea[], $6::bigint[], \
                $7::bytea[], $8::bytea[], $9::boolean[], $10::boolean[], $11::boolean[], \
                $12::boolean[], $13::bytea[]) AS r(n, v, t, agent, id, updated_us, project, parent, \
                listed, pinned, archived, subagent, row)";
    let named: Vec<String> = COLUMNS
        .split(", ")
        .map(|name| format!("r.{name}"))
        .collect();
    let named = named.join(", ");
    put(
        Query::UpdateRows,
        format!(
            "UPDATE {s}.sessions AS s SET version = r.v + 1, token = r.t, ({COLUMNS}) = ({named}) \
             FROM {many} WHERE s.number = r.n AND s.version = r.v"
        ),
    );
    put(
        // One that is there is passed over and missing in the count; as an error it would end the
        // transaction.
        Query::InsertRows,
        format!(
            "INSERT INTO {s}.sessions (number, version, token, {COLUMNS}) \
             SELECT r.n, r.v + 1, r.t, {named} FROM {many} ON CONFLICT DO NOTHING"
        ),
    );
    put(
        Query::RemoveRows,
        format!(
            "DELETE FROM {s}.sessions AS s USING unnest($1::bigint[], $2::bigint[]) AS r(n, v) \
             WHERE s.number = r.n AND s.version = r.v"
        ),
    );
    put(
        Query::NextNumbers,
        format!(
            "UPDATE {s}.counters SET value = value + $1 WHERE name = 'session' RETURNING value"
        ),
    );
}

/// A name as PostgreSQL takes it, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_is_there_and_none_is_of_one_dialect_alone() {
        let sql = Sql::new("s");
        assert_eq!(sql.texts.len(), COUNT);
        for text in &sql.texts {
            assert!(!text.is_empty() && !text.contains('{'), "{text}");
            for foreign in ["SERIAL", "REFERENCES", "LISTEN", "COLLATE"] {
                assert!(!text.contains(foreign), "{text} has {foreign}");
            }
        }
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("a\"; DROP TABLE x"), "\"a\"\"; DROP TABLE x\"");
    }
}
