/** A parsed JSONPath as kubectl knows it: text and expressions in braces, one after the other. */
export type PathNode =
  | { readonly kind: 'list'; readonly nodes: readonly PathNode[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'identifier'; readonly name: string }
  | {
      readonly kind: 'array'
      readonly from?: number
      readonly to?: number
      readonly toDerived: boolean
      readonly step?: number
    }
  | { readonly kind: 'filter'; readonly left: PathList; readonly right: PathList; readonly operator: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'union'; readonly lists: readonly PathList[] }

export type PathList = Extract<PathNode, { kind: 'list' }>
