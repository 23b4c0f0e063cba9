import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connect } from './driver.js'
import { load } from './forelock.js'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const RESOLUTIONS = [1_000, 60_000, 3_600_000]

export const connect: Connect = async setting => {
  const { openDuckDbStore, historyOf } = await load(setting)
  // On a disk: the folder of the setting is in memory.
  const folder = mkdtempSync(join(tmpdir(), 'forelock-bench-'))
  const store = await openDuckDbStore(join(folder, 'history.duckdb'))
  return {
    history: {
      async fill(count) {
        await store.sql(
          `INSERT INTO runs (id, workflow, start, "end", outcome, wall) SELECT 'run-' || i, 'workflow-' || (i % 20), i * ${DAY_MS}.0 / $1 - 5,
            i * ${DAY_MS}.0 / $1, 'success', (1 + hash(i) % 100000) / 100.0 FROM range(0, $1::BIGINT) AS made(i)`,
          [count]
        )
        // What the store would have made of them, had they come by append(): an hour at a time, because lists of a day's seconds take more memory.
        for (const resolution of RESOLUTIONS) {
          for (let hour = 0; hour < DAY_MS; hour += HOUR_MS) {
            await store.sql(
              `INSERT INTO rollups SELECT ${resolution}, time, 'runs', 'wall', workflow, NULL, 'success', NULL, sum(n), sum(total), min(low), max(high),
                CAST(list(bucket) AS VARCHAR), CAST(list(n) AS VARCHAR) FROM (
                  SELECT floor("end" / ${resolution}) * ${resolution} AS time, workflow, ceil(ln(wall) / ln(1.01 / 0.99)) AS bucket, count(*) AS n,
                    sum(wall) AS total, min(wall) AS low, max(wall) AS high FROM runs WHERE "end" >= $1 AND "end" < $2 GROUP BY 1, 2, 3
                ) AS parts GROUP BY time, workflow ORDER BY time`,
              [hour, hour + HOUR_MS]
            )
          }
        }
      },
      quantiles: async exact => (await historyOf(store).quantiles({ exact })).length,
      async close() {
        await store.close()
        rmSync(folder, { recursive: true })
      }
    },
    close() {}
  }
}
