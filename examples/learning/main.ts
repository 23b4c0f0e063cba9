// Jobs whose memory depends on their input, and nobody says how: their grants are learnt. It prints what each was granted beside what the kernel says that it
// took, and what a second process of the arena would grant by then.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MiB, open, type RunRecord, unlink } from '../../lib/index.js'
import { CONFIGURED, jobsOf, render } from './jobs.js'

const JOBS = Number(process.argv[2] ?? 40)
const AT_ONCE = 2
const AGREE = 0.05

const name = `learning-${process.pid}`
const gov = open({ name })
const { workflow } = jobsOf(gov)
const second = fork(fileURLToPath(new URL('second.ts', import.meta.url)), [name])

const mb = (bytes: number) => (bytes / MiB).toFixed(0).padStart(6)
/** From 10 to 200, each differing from those before it: the golden ratio's multiples fill an interval evenly. */
const megabytesOf = (i: number) => Math.round(10 + 190 * ((i * 0.618034) % 1))

/** What it says next. @returns rejected where it ends instead */
function answerOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', code => reject(new Error(`the second process has ended (${code})`)))
  })
}

const records: RunRecord[] = []
workflow.on('run', record => records.push(record))
const truths: number[] = []

try {
  await answerOf(second)
  let next = 0
  const lane = async () => {
    while (next < JOBS) truths.push(await render(workflow, megabytesOf(next++)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  await new Promise(resolve => setImmediate(resolve))

  console.log(`megabytes of ${JOBS} jobs: asked for in the input, granted, and taken as forelock measured it`)
  for (const { input, sized, outcome } of records) {
    const note = outcome === 'success' ? (sized?.tries === 1 ? '' : '  (again)') : '  too little'
    console.log(`${String(input.megabytes).padStart(6)}${mb(sized?.granted.memory ?? 0)}${mb(sized?.used.memory ?? 0)}${note}`)
  }

  const used = truths.reduce((sum, bytes) => sum + bytes, 0)
  const measured = records.reduce((sum, { sized, outcome }) => sum + (outcome === 'success' ? (sized?.used.memory ?? 0) : 0), 0)
  const granted = records.reduce((sum, { sized }) => sum + (sized?.granted.memory ?? 0), 0)
  const short = records.length - truths.length
  console.log(`taken, by the kernel's word   ${mb(used)}`)
  console.log(`taken, as measured            ${mb(measured)}   within 5 %: ${Math.abs(measured / used - 1) <= AGREE ? 'yes' : 'no'}`)
  console.log(`granted                       ${mb(granted)}   ${(granted / used).toFixed(2)} x, ${short} of ${JOBS} done again`)
  console.log(`as configured                 ${mb(CONFIGURED * JOBS)}   ${((CONFIGURED * JOBS) / used).toFixed(2)} x`)

  const input = { megabytes: 120 }
  second.send(input)
  const there = await answerOf(second)
  const here = workflow.size(input)?.memory ?? 0
  console.log(`120 MB would be granted here ${mb(here)}, in a second process that did no job ${mb(there)}`)
  if (Math.abs(measured / used - 1) > AGREE || granted > CONFIGURED * JOBS || there >= CONFIGURED) process.exitCode = 1
} finally {
  await gov.close()
  second.kill()
  unlink(name, { force: true })
}
