import { DatabaseSync } from 'node:sqlite'
import { OpenStoreError } from './open-store-error.ts'

const formatVersion = 1

/** Marks the file as ours in its header: "Cora". */
const applicationId = 0x436f7261

/**
 * Opens the database file, which must exist but may be empty.
 *
 * One row is one change: `id` is revision × 4096 + position in the commit, so writing appends; `created` is the create
 * revision, 0 for a deletion; a commit that changed nothing leaves one row with an empty key. Compaction deletes rows.
 * SQLite's exclusive locking mode keeps the index of the write-ahead log in memory instead of a third file.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA cache_size = -2000')
    const version = formatOf(database)
    if (version === undefined) throw new OpenStoreError(path, 'corrupt')
    if (version > formatVersion) throw new OpenStoreError(path, 'too-new')
    if (version === 0) createTables(database)
    // A pod is 2 to 3 KiB: pages of 8 KiB hold some, and the one page that a single commit rewrites stays small.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 500; PRAGMA journal_size_limit = 8388608')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The format version; 0 for an empty file, undefined for somebody else's. */
function formatOf(database: DatabaseSync): number | undefined {
  const number = (query: string): number => Object.values(database.prepare(query).get() ?? {})[0] as number
  const version = number('PRAGMA user_version')
  const isOurs = number('PRAGMA application_id') === applicationId && version > 0
  return isOurs ? version : number('SELECT count(*) FROM sqlite_schema') === 0 ? 0 : undefined
}

function createTables(database: DatabaseSync): void {
  database.exec(`
    PRAGMA page_size = 8192;
    PRAGMA auto_vacuum = INCREMENTAL;
    BEGIN;
    CREATE TABLE change (id INTEGER PRIMARY KEY, created INTEGER NOT NULL, key TEXT NOT NULL, value BLOB);
    CREATE TABLE compaction (only INTEGER PRIMARY KEY CHECK (only = 0), revision INTEGER NOT NULL);
    INSERT INTO compaction VALUES (0, 1);
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${formatVersion};
    COMMIT`)
}
