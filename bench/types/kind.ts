import type { Driver, Setting } from '../drivers/driver.js'

/** What one process is told to measure. JSON: it crosses a process boundary. */
export interface Job {
  kind: string
  /** the driver's file, and which of its exports connects */
  driver: string
  connect: string
  params: Params
  setting: Setting
  /** fewer and shorter samples */
  quick: boolean
}

export type Params = Record<string, string | number>

/** What it found: samples by series, `value` unless the kind has several, in the unit of the trial. */
export interface Findings {
  series: Record<string, number[]>
  /** facts worth keeping beside the numbers */
  notes?: Record<string, string | number>
}

export interface Work {
  job: Job
  connect(setting?: Setting): Promise<Driver>
}

export type Kind = (work: Work) => Promise<Findings>
