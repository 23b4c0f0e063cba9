/**
 * How much to keep ready when too little costs `under` a unit and too much costs `over`: this quantile of what will be asked for. (The newsvendor's
 * critical ratio: Arrow, Harris and Marschak, Optimal Inventory Policy, Econometrica 1951.)
 *
 * @param under what a unit that is missing costs, >= 0
 * @param over what a unit that is not used costs, >= 0
 * @returns 0 to 1; 0 when neither costs anything
 */
export function criticalRatio(under: number, over: number): number {
  return under > 0 ? under / (under + over) : 0
}
