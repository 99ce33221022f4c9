/** The only version of every function, as outputs name it. */
export const functionVersion = 'v0.0.0'
