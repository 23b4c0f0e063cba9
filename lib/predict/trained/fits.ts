/** A model that is fitted in a thread of its own: what goes there, and what comes back. */
export type Fit = RecurrentFit | LineFit

interface Budgeted {
  /** ms that the fit may take, loading its engine not counted */
  readonly budget: number
}

/** A recurrent net that foretells the next `outputs` values from the last `window` ones. */
export interface RecurrentFit extends Budgeted {
  readonly kind: 'recurrent'
  readonly cell: 'lstm' | 'gru'
  readonly units: number
  readonly window: number
  readonly outputs: number
  readonly epochs: number
  readonly seed: number
  /** about from -1 to 1 */
  readonly values: Float64Array
}

/** A model that says a line of so many values to come. */
export interface LineFit extends Budgeted {
  readonly kind: 'mstl' | 'ets' | 'prophet'
  /** steps, the shortest first */
  readonly periods: readonly number[]
  readonly steps: number
  /** from -1 to 1 */
  readonly values: Float64Array
}

/** Weights in the order of native/predict/recurrent.h. Undefined: it cannot be fitted to these values, or not in time. */
export interface Fitted {
  readonly recurrent: Float32Array | undefined
  readonly mstl: Float64Array | undefined
  readonly ets: Float64Array | undefined
  readonly prophet: Float64Array | undefined
}

/** What the thread says: that it has loaded what it needs and begins, and then what came of it. */
export type FromFitThread =
  | { readonly event: 'begun' }
  | { readonly event: 'fitted'; readonly value: Fitted[Fit['kind']] }
  /** it cannot be fitted, and its engine is broken */
  | { readonly event: 'trapped' }
  | { readonly event: 'failed'; readonly name: string; readonly message: string; readonly needs: string | undefined }
