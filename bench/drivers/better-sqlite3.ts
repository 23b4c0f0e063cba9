import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connect, TOLD } from './driver.js'

interface Statement {
  run(...values: unknown[]): unknown
  get(): unknown
}

interface Database {
  pragma(text: string): unknown
  exec(text: string): unknown
  prepare(text: string): Statement
  transaction(work: (count: number) => void): (count: number) => void
  close(): void
}

const COLUMNS = [
  'time',
  'event',
  'kind',
  'element',
  'tier',
  'outcome',
  'workflow',
  'tenant',
  'client',
  'participant',
  'amount',
  'waited',
  'held'
]

/** The same events, in the caller's thread: it has no other way. */
export const connect: Connect = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-bench-'))
  const file = join(folder, 'history.sqlite')
  const { default: Database } = (await import('better-sqlite3' as string)) as { default: new (file: string) => Database }
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(`CREATE TABLE events (${COLUMNS.join(', ')}); CREATE INDEX found ON events (workflow, time)`)
  const insert = db.prepare(`INSERT INTO events VALUES (${COLUMNS.map(() => '?').join(', ')})`)
  let made = 0
  const insertAll = db.transaction(count => {
    const now = Date.now()
    for (let i = 0; i < count; i++, made++) {
      const at = made >> 1
      const names = [`workflow-${at % TOLD.workflows}`, `tenant-${at % TOLD.tenants}`]
      const [event, held] = made % 2 === 0 ? ['grant', null] : ['end', at % 13]
      insert.run(now, event, 'lock', `orders:${at % TOLD.elements}`, 'standard', 'success', ...names, null, '1.1', 1, 0, held)
    }
  })
  return {
    ingest: {
      offer: insertAll,
      async settle() {},
      kept: async () => (db.prepare('SELECT count(*) AS n FROM events').get() as { n: number }).n,
      async close() {
        db.pragma('wal_checkpoint(TRUNCATE)')
        db.close()
        const { size } = statSync(file)
        rmSync(folder, { recursive: true })
        return size
      }
    },
    close() {}
  }
}
