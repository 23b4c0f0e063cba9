import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connect, HistoryRecord } from './driver.js'

interface Statement {
  run(row: object): unknown
  get(): unknown
}

interface Database {
  pragma(text: string): unknown
  exec(text: string): unknown
  prepare(text: string): Statement
  transaction(work: (rows: HistoryRecord[]) => void): (rows: HistoryRecord[]) => void
  close(): void
}

const COLUMNS = ['id', 'workflow', 'tenant', 'start', 'end', 'outcome', 'waited', 'wall', 'cpu', 'memory', 'cost'] as const

export const connect: Connect = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-bench-'))
  const file = join(folder, 'history.sqlite')
  const { default: Database } = (await import('better-sqlite3' as string)) as { default: new (file: string) => Database }
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(`CREATE TABLE runs (${COLUMNS.map(name => `"${name}"`).join(', ')}); CREATE INDEX found ON runs (workflow, "end")`)
  const insert = db.prepare(`INSERT INTO runs VALUES (${COLUMNS.map(name => `@${name}`).join(', ')})`)
  const insertAll = db.transaction((rows: HistoryRecord[]) => {
    for (const row of rows) insert.run(row)
  })
  return {
    history: {
      append: rows => insertAll(rows),
      async flush() {},
      count: async () => (db.prepare('SELECT count(*) AS n FROM runs').get() as { n: number }).n,
      fill: () => Promise.reject(new Error('not compared')),
      quantiles: () => Promise.reject(new Error('not compared')),
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
