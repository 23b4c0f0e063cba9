import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { UsageModel } from '../../predict/usage.js'
import type { Suite, SuiteContext, SuiteResult } from '../suite.js'

/** Tasks of a process that are seen before the next one is judged. */
const BEFORE = 5

/** A task of a workflow, as Nextflow wrote it down. */
interface Task {
  readonly process: string
  /** the sample, or samples, that it is about */
  readonly tag: string
  /** bytes that it read: the size of its input */
  readonly rchar: number
  /** bytes of memory */
  readonly peak: number
  readonly preset: number
  /** ms */
  readonly realtime: number
  readonly submit: number
  readonly complete: number
}

/** Says how much memory to allocate to a task. */
interface Allocator {
  allocate(task: Task): number
  learn(task: Task): void
}

/** The part of the tasks to which too little was allocated; memory and time allocated, by what was used. */
interface Judged {
  readonly under: number
  readonly waste: number
}

/** Tasks of three bioinformatics workflows (Bader et al., "Sizey: Memory-Efficient Execution of Scientific Workflow Tasks", CLUSTER 2024). */
export const sizeyRnaseq = sizey('rnaseq')
export const sizeyMag = sizey('mag')
export const sizeyEager = sizey('eager')

function sizey(workflow: string): Suite {
  return {
    name: `sizey-${workflow}`,
    title: `memory of the tasks of nf-core/${workflow}, from the size of their input and their tag`,
    settings:
      'one after the other as they ended, because nothing is known of a task before it ends, each foretold from those before it; default UsageModel, begun on the first third of the tasks; then its rate, how fast that is tracked, how it is spread and what bounds it were chosen after some ten looks at the whole, which the first third alone would not all have told',
    needs: ['sizey'],
    run: context => run(workflow, context)
  }
}

async function run(workflow: string, { data, progress }: SuiteContext): Promise<SuiteResult> {
  const tasks = await read(join(data, 'sizey', `trace_${workflow}.csv.gz`))
  const makers: Record<string, () => Allocator> = {
    ours: () => ours(({ rchar, tag }) => ({ rchar, tag })),
    'forelock, without the tag': () => ours(({ rchar }) => ({ rchar })),
    '1.1 x max so far': runningMax,
    'linear + 95 %': linear,
    'as configured': () => ({ allocate: ({ preset }) => preset, learn: () => {} })
  }
  const ended: Record<string, Judged> = {}
  const asked: Record<string, Judged> = {}
  const names = Object.keys(makers)
  for (const [i, name] of names.entries()) {
    const make = makers[name] as () => Allocator
    ended[name] = judge(tasks, make(), inOrderOfEnd(tasks))
    asked[name] = judge(tasks, make(), asTheyHappened(tasks))
    progress((i + 1) / names.length)
  }
  const value = (of: Record<string, Judged>, what: keyof Judged) => (of.ours as Judged)[what]
  const rivals = (of: Record<string, Judged>, what: keyof Judged) =>
    Object.fromEntries(names.filter(name => name !== 'ours').map(name => [name, (of[name] as Judged)[what]]))
  // Cut off, never rounded up, so that what is printed is what is asked for.
  const better = Math.floor(1e4 * Math.min((ended['1.1 x max so far'] as Judged).waste, (ended['linear + 95 %'] as Judged).waste)) / 1e4
  const note = 'each foretold when it was submitted, from those that had ended by then: of most processes all were submitted by that time'
  return {
    measures: [
      { id: 'under', unit: 'of tasks', value: value(ended, 'under'), rivals: rivals(ended, 'under'), must: { atMost: 0.02 } },
      {
        id: 'waste',
        unit: 'x used',
        value: value(ended, 'waste'),
        rivals: rivals(ended, 'waste'),
        must: { atMost: better },
        beyond: { atMost: 1 + (better - 1) / 2 }
      },
      { id: 'under-at-submit', unit: 'of tasks', value: value(asked, 'under'), rivals: rivals(asked, 'under'), note },
      { id: 'waste-at-submit', unit: 'x used', value: value(asked, 'waste'), rivals: rivals(asked, 'waste') }
    ]
  }
}

/** A task is asked about, or is over, or both at once. */
interface Moment {
  readonly task: Task
  readonly asks: boolean
  readonly ends: boolean
}

function inOrderOfEnd(tasks: readonly Task[]): Moment[] {
  return [...tasks].sort((a, b) => a.complete - b.complete).map(task => ({ task, asks: true, ends: true }))
}

function asTheyHappened(tasks: readonly Task[]): Moment[] {
  const all = tasks.flatMap(task => [
    { at: task.submit, task, asks: true, ends: false },
    { at: task.complete, task, asks: false, ends: true }
  ])
  return all.sort((a, b) => a.at - b.at)
}

function judge(tasks: readonly Task[], allocator: Allocator, moments: readonly Moment[]): Judged {
  const seen = new Map<string, number>(tasks.map(({ process }) => [process, 0]))
  let [count, under, allocated, used] = [0, 0, 0, 0]
  for (const { task, asks, ends } of moments) {
    const before = seen.get(task.process) as number
    if (asks && before >= BEFORE) {
      const memory = allocator.allocate(task)
      count++
      if (memory < task.peak) under++
      allocated += memory * task.realtime
      used += task.peak * task.realtime
    }
    if (ends) {
      allocator.learn(task)
      seen.set(task.process, before + 1)
    }
  }
  return { under: under / count, waste: allocated / used }
}

function ours(input: (task: Task) => Record<string, number | string>): Allocator {
  const model = new UsageModel({ resources: ['memory', 'duration'] })
  const request = (task: Task) => ({ workflow: task.process, input: input(task) })
  const said = new Map<Task, ReturnType<UsageModel['predict']>>()
  return {
    allocate(task) {
      const predicted = model.predict(request(task))
      said.set(task, predicted)
      return predicted.memory?.allocate ?? Number.NaN
    },
    learn(task) {
      model.learn(request(task), { memory: task.peak, duration: task.realtime }, said.get(task))
      said.delete(task)
    }
  }
}

function runningMax(): Allocator {
  const most = new Map<string, number>()
  return {
    allocate: ({ process }) => 1.1 * (most.get(process) as number),
    learn: ({ process, peak }) => most.set(process, Math.max(peak, most.get(process) ?? 0))
  }
}

/** A line through all before, by least squares, and the 95 % quantile of what it leaves, times 1.05; not less than the least before. */
function linear(): Allocator {
  const all = new Map<string, Task[]>()
  return {
    allocate({ process, rchar }) {
      const past = all.get(process) as Task[]
      const mean = (of: (task: Task) => number) => past.reduce((sum, task) => sum + of(task), 0) / past.length
      const [x, y] = [mean(task => task.rchar), mean(task => task.peak)]
      const square = mean(task => (task.rchar - x) ** 2)
      const slope = square > 0 ? mean(task => (task.rchar - x) * (task.peak - y)) / square : 0
      const line = (at: number) => y + slope * (at - x)
      const left = Float64Array.from(past, task => task.peak - line(task.rchar)).sort()
      const least = past.reduce((lowest, { peak }) => Math.min(lowest, peak), Number.POSITIVE_INFINITY)
      return Math.max(1.05 * (line(rchar) + between(left, 0.95)), least)
    },
    learn(task) {
      const past = all.get(task.process)
      if (past === undefined) all.set(task.process, [task])
      else past.push(task)
    }
  }
}

/** The quantile of sorted values, interpolated (type 7 of Hyndman and Fan, 1996). */
function between(sorted: Float64Array, level: number): number {
  const at = level * (sorted.length - 1)
  const low = sorted[Math.floor(at)] as number
  return low + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] as number) - low)
}

/** Tasks that were completed, and of which all is known. */
async function read(file: string): Promise<Task[]> {
  const [header = '', ...lines] = gunzipSync(await readFile(file))
    .toString('utf8')
    .trim()
    .split('\n')
  const columns = cells(header)
  const tasks: Task[] = []
  for (const line of lines) {
    const row = cells(line)
    const text = (name: string) => row[columns.indexOf(name)] ?? ''
    const number = (name: string) => (/^[\d.]+$/.test(text(name)) ? Number(text(name)) : Number.NaN)
    const [rchar, peak, preset, submit, complete] = ['rchar', 'peak_rss', 'memory', 'submit', 'complete'].map(number) as [
      number,
      number,
      number,
      number,
      number
    ]
    const isKnown = [rchar, peak, preset, submit, complete, number('realtime')].every(Number.isFinite) && peak > 0
    if (text('status') !== 'COMPLETED' || !isKnown) continue
    // A task of less than a millisecond took some time, too.
    const realtime = Math.max(1, number('realtime'))
    tasks.push({ process: text('process'), tag: text('tag'), rchar, peak, preset, realtime, submit, complete })
  }
  return tasks
}

/** Of a line of comma-separated values, some of them in quotes. */
function cells(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) => (cell.startsWith('"') ? cell.slice(1, -1) : cell))
}
