// A job runner: gzip, file copies, scrypt and image filters in worker threads and child processes, as workflows. It prints what it learnt of each
// beside what the kernel says of the same, and whether they agree.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GiB, open } from '../../lib/index.js'
import { type Kind, kindsOf } from './jobs.js'
import { cpuOfChildren, cpuOfThisProcess, cpuOfThisThread } from './kernel.js'
import { type Outcome, report } from './report.js'

const JOBS = Number(process.argv[2] ?? 8)
const SCALE = Number(process.argv[3] ?? 1)
const AT_ONCE = Number(process.argv[4] ?? 1)

const folder = mkdtempSync(join(tmpdir(), 'workflows-'))
const gov = open()
const host = gov.pool('host', { capacity: { cpu: 1_000 * AT_ONCE, memory: 4 * GiB } })

/** Does all jobs of a kind: what forelock measured of them, and the kernel of this time. */
async function run(kind: Kind): Promise<Outcome> {
  const { workflow, place, atOnce } = kind
  let measured = 0
  let points = 0
  workflow.on('run', ({ usage, curve }) => {
    measured += usage.cpu ?? 0
    points += curve?.times.length ?? 0
  })
  const from = { thread: cpuOfThisThread(), children: cpuOfChildren(), process: cpuOfThisProcess() }
  let workers = 0
  let next = 0
  const lane = async () => {
    while (next < JOBS) {
      const cpu = await kind.job(next++)
      workers += cpu
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  const process = cpuOfThisProcess() - from.process
  const thread = cpuOfThisThread() - from.thread
  const children = cpuOfChildren() - from.children
  // The listeners of the last run come after it.
  await new Promise(resolve => setImmediate(resolve))
  const accounts: Record<string, number> =
    place === 'pool of threads'
      ? { 'getrusage of the process': process }
      : place === 'child process'
        ? { 'main thread by schedstat': thread, 'children by stat': children }
        : { 'main thread by schedstat': thread, 'workers by schedstat': workers }
  return { profile: workflow.profile(), place, measured, points, accounts }
}

try {
  let agreed = true
  for (const kind of kindsOf(gov, host, folder, SCALE, AT_ONCE)) {
    const { text, agrees } = report(await run(kind))
    console.log(text)
    agreed &&= agrees
  }
  console.log(agreed ? 'all agree with the kernel within 5 %: yes' : 'all agree with the kernel within 5 %: no')
  if (!agreed) process.exitCode = 1
} finally {
  await gov.close()
  rmSync(folder, { recursive: true, force: true })
}
