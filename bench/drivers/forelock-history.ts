import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connect } from './driver.js'
import { load } from './forelock.js'

export const connect: Connect = async setting => {
  const { openDuckDbStore, historyOf } = await load(setting)
  // On a disk: the folder of the setting is in memory.
  const folder = mkdtempSync(join(tmpdir(), 'forelock-bench-'))
  const file = join(folder, 'history.duckdb')
  const store = await openDuckDbStore(file)
  return {
    history: {
      append: rows => store.append('runs', rows),
      async flush() {
        while ((await store.flush()).waiting > 0);
      },
      count: async () => (await store.sql('SELECT count(*) AS n FROM runs'))[0]?.n as number,
      async fill(count) {
        await store.sql(
          `INSERT INTO runs (id, workflow, start, "end", outcome, wall) SELECT 'run-' || i, 'workflow-' || (i % 20), i * 86400000.0 / $1 - 5,
            i * 86400000.0 / $1, 'success', hash(i) % 100000 / 100.0 FROM range(0, $1::BIGINT) AS made(i)`,
          [count]
        )
      },
      quantiles: async () => (await historyOf(store).quantiles({ exact: true })).length,
      async close() {
        await store.close()
        const { size } = statSync(file)
        rmSync(folder, { recursive: true })
        return size
      }
    },
    close() {}
  }
}
