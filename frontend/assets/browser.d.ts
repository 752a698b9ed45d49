// What the scripts find on the page besides the DOM: Dash, Plotly, React and each other. Read by tsc alone.

/** What each script gives to the others. */
interface ThinIce {
  /** frontend/app.py: the component ids of each page by the names of its ids.py, and those of the shell. */
  ids: {
    compare: Record<
      | "CHIPS" | "CLASSES" | "CLASSES_NOTE" | "CONTROLS" | "CURVE" | "DELTA_TEXT" | "DOWNLOADS" | "EPS_TEXT" | "HEADLINE"
      | "HISTOGRAM" | "HISTOGRAM_TABLE" | "HOVER" | "HOVER_IMAGE" | "HOVER_TEXT" | "NOTES" | "NUMBERS" | "PAGE" | "PREDICTIVE"
      | "REST" | "SCATTER" | "SCATTER_TABLE" | "SCOPE" | "SHARE" | "SHARE_NOTE" | "TABLE" | "THIN" | "TOOLS" | "WALL"
      | "WALL_HEAD",
      string
    >;
    methods: { PICKED: string };
    several: Record<
      | "COUNTS" | "CURVE" | "DELTA_TEXT" | "EPS_TEXT" | "HISTOGRAM" | "LOST_LEVELS" | "MATRIX" | "PAGE" | "ROBUST_LEVELS" | "SENTENCE" | "STANDING"
      | "TABLE" | "WALL",
      string
    >;
    sample: { BLINK: string; PAGE: string; SLICE: string };
    samples: Record<
      "CHIPS" | "DELTA_TEXT" | "EPS_TEXT" | "LINKS" | "NOTHING" | "PAGE" | "SENTENCE" | "SORT" | "WALL", string
    >;
    shell: { CHANGED: string; JOBS_COUNT: string; KEYS: string; MORE: string; PAGE: string; RAIL: string };
    upload: { ARCHITECTURE: string; BUNDLE_CAME: string; BUNDLE_GO: string; DROP: string; FILE: string; GO: string; INPUT: string; KEEP_RATE: string; NAME: string; PAGE: string; PARENT: string; REFUSAL: string; SET_GO: string; STATUS: string };
  };
  /** shell.js: the address with its query changed; no new entry in the history where `replace`. */
  go(changes: Query, replace: boolean): void;
  /** shell.js: another page, without loading the document anew. */
  visit(path: string, query: Query): void;
  /** shell.js: a path with its query. */
  address(path: string, query: Query): string;
  /** live.js: changes cells in place. */
  live: { patch(cells: Record<string, Cell> | null): void };
  /** stream.js: listens for news from the first page on. */
  stream: { open(): void };
  /** scroll.js: a new page is there. */
  scroll: { arrive(): void };
  /** table_texts.js: a table as text, and the order of its rows. */
  tableTexts: {
    csv(rows: string[][]): string;
    markdown(rows: string[][], numeric: boolean[]): string;
    latex(rows: string[][], numeric: boolean[]): string;
    keyOf(text: string): number | string | null;
    order(cells: string[], isDescending: boolean): number[];
    fits(text: string, typed: string): boolean;
    slug(words: string): string;
  };
  /** tables.js: the shown rows of the table that a bar of tools belongs to. */
  tables: { read(bar: HTMLElement): { rows: string[][]; numeric: boolean[] } | null };
  termTexts: {
    finder(hints: Hint[]): TermFinder;
    find(text: string, words: TermFinder): { start: number; end: number; hint: Hint }[];
  };
  /** terms.js: shows what the words of the page mean. */
  terms: { list(): Promise<void> };
  /** saving.js: a menu that saves a figure or a table. */
  saving: { menu(kind: "figure" | "table", label: string): HTMLElement; fileName(label: string): string };
  charts: {
    find(id: string): Chart | null;
    pixel(plot: Chart, axis: "x" | "y", value: number, ref?: string): number;
    moveGuides(plot: Chart, eps: number, epsText: string, delta: number): void;
    moveLabel(plot: Chart, name: string, changes: Partial<Note>, words?: string): void;
    watch(id: string, onDrawn: () => void, onClick?: (id: string, point: ChartPoint | undefined) => void): void;
    write(text: Element, words: string): void;
  };
  elements: {
    closest(event: Event, selector: string): HTMLElement | null;
    data(element: Element, name: string): string;
    make(tag: string, className: string, text?: string): HTMLElement;
    draw(tag: string, attributes: Record<string, string | number>, text?: string): SVGElement;
    isPlainClick(event: MouseEvent): boolean;
  };
  numbers: {
    fixed(value: number, digits: number): string;
    count(number: number): string;
    percent(share: number, digits: number): string;
    sizeWords(bytes: number): string;
  };
  distances: {
    asText(value: number, unit: Unit): string;
    fromText(text: string | null | undefined, fallback: number, unit: Unit): number;
    stored(text: string): number;
    epsText(text: string, unit: Unit): string;
    words(value: number | null | undefined, unit: Unit): string;
    isNear(first: number, second: number): boolean;
  };
  ice: {
    isThin(margin: number, delta: number): boolean;
    count(columns: Columns, delta: number): ThinCounts;
    sentence(columns: Columns, delta: number, pair: Pair): string;
  };
  outcomes: {
    TOLERANCE: Record<"minimum" | "witness", number>;
    SETS: string[];
    decode(sent: ColumnsOut): Columns;
    largestWithin(eps: number, kind: "minimum" | "witness"): number;
    sets(columns: Columns, eps: number | null): Uint8Array;
    count(sets: Uint8Array, mask?: Uint8Array | null): Counts;
    wilson(part: number, n: number): Share;
    mcnemar(onlyFirst: number, onlySecond: number): number;
    summarise(columns: Columns, eps: number | null): Summary;
    summariseSets(columns: Columns, named: Uint8Array, mask: Uint8Array | null): Summary;
    auroc(scores: ArrayLike<number>, positives: ArrayLike<number>): number | null;
    rankLost(columns: Columns, eps: number | null): number | null;
  };
  plain: {
    draw(holder: Element, wanted: (Tree | string)[]): void;
    drawInto(id: string, wanted: (Tree | string)[]): void;
  };
  compareNumbers: {
    SYMBOLS: Record<string, string>;
    WORDS: Record<string, string>;
    CLASSES: Record<string, string>;
    cards(clean: Summary, robust: Summary, shown: Shown): Tree[];
    pValue(p: number): (Tree | string)[];
  };
  compareSentences: {
    flips(counted: Summaries, shown: Shown): (Tree | string)[];
    scope(counted: Summaries, shown: Shown): Tree[];
    whole(shown: Shown): Tree[];
    chips(shown: Shown): Tree[];
  };
  selection: {
    parse(text: string | null | undefined): Picked | null;
    writeRows(rows: Iterable<number>): string;
    writeRanges(ranges: Record<string, Ends | undefined>): string;
    isInside(margin: number, range: Ends): boolean;
    mask(columns: Columns, pick: Picked | null): Uint8Array;
    words(pick: Picked, unit: Unit): string;
  };
  sampleLists: {
    STATE_KEYS: string[];
    SORTS: Record<string, string>;
    cutOf(address: Record<string, string>, pair: ComparedPair): Cut;
    shownAt(held: HeldPair, cut: Cut, before: Shown | null): Shown;
    isOnThinIce(columns: Columns, place: number, delta: number): boolean;
    isChosen(shown: Shown, place: number): boolean;
    isFiltered(cut: Cut): boolean;
    order(shown: Shown, name: string | null): number[];
    address(path: string, cut: Cut, changes: Query): string;
  };
  sampleTiles: {
    className(pair: ComparedPair, label: number | undefined): string;
    short(margin: number, pair: ComparedPair): string;
    full(margin: number, pair: ComparedPair): string;
    verdicts(clean: number | undefined, robust: number | undefined): string[];
    tile(shown: Shown, place: number, list?: string | null): Tree;
  };
  samplesParts: {
    NO_FILTERS: Query;
    sentence(shown: Shown, count: number): (Tree | string)[];
    orderNote(shown: Shown, places: number[]): string;
    filterWords(shown: Shown): string[];
    countChips(shown: Shown): ChipCounts;
    chipRows(shown: Shown): Tree[];
    sortChoice(cut: Cut, pair: Pair): Tree[];
  };
  pairColumns: { load(pair: ComparedPair): Promise<HeldPair | null> };
  drawing: { make<T>(parts: Part<T>[], current: () => T | null): Drawing };
  sliders: { make(page: SliderPage): Sliders };
  wall: { show(id: string, content: WallContent): void };
  samplesCut: { cutAt(cut: Cut, pair: ComparedPair): Promise<void> };
  compareRows: {
    rows(shown: Shown): Record<string, unknown>[];
    downloads(shown: Shown, name: string): Tree[];
    wallHead(shown: Shown, name: string, count: number): Tree[];
  };
  compareTables: {
    histogram(shown: Shown): Record<string, number[]>;
    histogramTable(shown: Shown): Tree[];
    scatterTable(shown: Shown): Tree[];
    pickOf(pair: ComparedPair, bin: number): string;
  };
  compareFollowing: {
    mark(shown: Shown): void;
    draw(): void;
    drawRest(shown: Shown): void;
    forget(): void;
  };
  compareGutters: {
    extend(plot: Chart, pair: ComparedPair): boolean;
    place(plot: Chart, marks: Mark[], pair: ComparedPair): void;
    endsOf(pixels: number[], axis: ChartAxis, pair: ComparedPair, isUp: boolean): Ends;
  };
  compareSelecting: {
    press(id: string, point: ChartPoint | undefined): void;
    showMode(): void;
  };
  compareMarks: {
    STILL: number;
    draw(shown: Shown): void;
    forget(): void;
    nearest(left: number, top: number, shown: Shown): { place: number; left: number; top: number } | null;
    inside(polygon: { x: number; y: number }[], shown: Shown): number[];
  };
  comparePictures: {
    drawHistogram(shown: Shown): void;
    drawCurve(shown: Shown): void;
    settle(plot: Chart): void;
  };
  compareCut: {
    cutAt(cut: Cut, pair: ComparedPair): Promise<void>;
    shown(): Shown | null;
  };
  severalLosses: {
    decode(sent: SeveralColumnsOut): Columns[];
    masks(networks: Columns[], eps: number | null): Uint8Array;
    size(mask: number): number;
    tally(masks: Uint8Array, networks: number, held: number): SeveralLosses;
    overlap(losses: SeveralLosses, first: number, second: number): LossOverlap;
    readChoice(text: string | null | undefined, networks: number): LossChoice;
    readCut(address: URLSearchParams | Map<string, string>, several: SeveralState): SeveralCut;
    writeChoice(choice: LossChoice): string;
    isChosen(mask: number, choice: LossChoice): boolean;
    choose(columns: Columns, masks: Uint8Array, choice: LossChoice): number[];
  };
  severalCut: {
    load(several: SeveralState): Promise<void>;
    cutAt(cut: SeveralCut, lost: string | null): void;
    shown(): ShownSeveral | null;
  };
  severalParts: {
    at(shown: ShownSeveral): string;
    chooser(shown: ShownSeveral, choice: LossChoice, title: string, kind: string, ...children: (Tree | string)[]): Tree;
    counts(shown: ShownSeveral): Tree[];
    ends(share: Share): string;
    matrix(shown: ShownSeveral): Tree[];
    name(several: SeveralState, number: number): Tree;
    percent(share: Share): string;
    plainShare(share: Share): string;
    sentence(shown: ShownSeveral): (Tree | string)[];
  };
  severalTable: {
    address(path: string, query: Record<string, string>): string;
    order(shown: ShownSeveral, sort: SeveralSort): number[];
    table(shown: ShownSeveral, sort: SeveralSort): Tree[];
  };
  severalWall: {
    wall(shown: ShownSeveral, isOpen: boolean): Tree[];
    words(shown: ShownSeveral): (Tree | string)[];
    samplesAddress(shown: ShownSeveral, places: number[]): string;
  };
  uploadForm: {
    CHECKPOINT_FIELDS: string[];
    DATASET_FIELDS: string[];
    asShare(percent: unknown): number;
    asPercent(share: number): number;
    isInPercent(field: string): boolean;
    write(names: string[], values: unknown[]): [string, string][];
    nameOf(filename: string): string;
    describeRole(role: string): [string, boolean, boolean, boolean];
    chooseParent(dataset: string, parents: ParentChoice[], current: string | null): [Choice[], string | null];
    suggestSamples(parent: string | null, preset: string | null, role: string, parents: ParentChoice[]): [number, string];
    describePreview(found: UploadPreview): string;
    progress(loaded: number, size: number, seconds: number): Progress;
  };
  helpEntries: {
    find(query: string, index: HelpEntry[]): HelpEntry[];
    excerpt(words: string, query: string): string;
  };
  uploadFile: {
    build(setup: UploadSetup): void;
    isSending(): boolean;
  };
  uploadPreview: {
    checkName(typed: string | null): void;
    findParent(upload: Upload | null, dataset: string | null, setup: UploadSetup): Promise<void>;
    forget(): void;
  };
  slicePicture: {
    draw(wanted: SliceWanted, found: SliceFound): HTMLElement[];
    className(wanted: SliceWanted, number: number): string;
  };
  refusal: {
    refuse(error: RestError | null): void;
    parse(text: string): Record<string, unknown> | null;
    errorOf(response: Record<string, unknown> | null, status: number): RestError;
  };
}

/** An entry of Help (`list_entries`, sent by frontend/pages/help/frame.py): address, title, kind, words. */
type HelpEntry = [string, string, string, string];

/** Keys and values of a query; null or nothing takes the key out of it. */
type Query = Record<string, string | number | null | undefined>;

/** What a length in shown units is multiplied with, and what stands behind it. */
interface Unit {
  scale: number;
  suffix: string;
}

/** A pair with sliders (`slider_state` in frontend/review/state.py); lengths in shown units. */
interface Pair extends Unit {
  dense: string;
  pruned: string;
  has_margins: boolean;
  default_eps: number;
  default_delta: number;
}

/** A word of the glossary (frontend/help/glossary/hints.py). */
interface Hint {
  forms: string[];
  name: string;
  means: string;
  href: string;
}

/** What finds the words of the glossary in a text. */
interface TermFinder {
  byForm: Map<string, Hint>;
  pattern: RegExp;
}

/** What a slice is asked for with (`slice_card` in frontend/pages/sample/plane.py); names: dense, pruned. */
interface SliceWanted extends Unit {
  dense: string;
  pruned: string;
  index: number;
  names: string[];
  classes: string[];
  eps: number;
  eps_text: string;
}

/** What the script reads of a piece of evidence (`EvidenceOut`). */
interface SliceJob {
  id: string;
  state: string;
  progress: { stage: string };
  error: RestError | null;
}

/** A boundary slice (`SliceOut`); lengths in L2 from the clean image, distances in the norm. */
interface SliceFound {
  label: number;
  norm: string;
  points: number;
  half_width: number;
  gradient_of: string | null;
  marks: { name: "clean" | "dense" | "pruned"; x: number; y: number; distance: number; dense: number; pruned: number }[];
  dense: number[][];
  pruned: number[][];
  unit_ball: [number, number][] | null;
  pixel_box: [number, number][];
}

/** One version in the chart of margins (`make_mark` in frontend/pages/sample/versions.py). */
interface TrajectoryMark {
  x: number;
  value: number | null;
  state: string;
  place: number | null;
  words: string;
  href: string;
  step: string;
  current: boolean;
}

/** The margins of a sample along sparsity (`chart_data` there); lengths in shown units. */
interface Trajectory {
  unit: string;
  eps: number;
  eps_text: string;
  delta: number;
  dense: number | null;
  dense_state: string;
  marks: TrajectoryMark[];
}

/** Where a sparsity and a margin lie in the chart. */
interface TrajectoryScale {
  top: number;
  x(place: number): number;
  y(mark: { state: string; value: number | null }): number;
}

/** A compared pair (`pair_state` in frontend/review/state.py). */
interface ComparedPair extends Pair {
  dataset: string;
  classes: string[];
  version: string;
  /** The pair's own eps as text. */
  default_eps_text: string;
  /** The end of the axes of margins, in shown units, and their unit in words. */
  axis: number;
  unit: string;
  /** Whether some margins lie beyond that, or were not found: they stand in a gutter of their own. */
  has_end: boolean;
  /** By index, both best-known bounds as stored where evidence lowered one; null: nothing was found. */
  bounds: Record<string, [number | null, number | null]>;
  /** What was done to the dense model, to begin a sentence with. */
  change: string;
  /** What words of the glossary mean. */
  meanings: Record<string, string>;
}

/** The ends of a range of margins, as an address writes them (selection.js). */
interface Ends {
  low: string;
  high: string;
}

/** Picked samples: their rows, or ranges of margins by side. */
interface Picked {
  rows: Set<number> | null;
  ranges: Record<string, Ends>;
}

/** A pair with its columns and clean sets. */
interface HeldPair {
  pair: ComparedPair;
  columns: Columns;
  clean: Uint8Array;
}

/** A part of a page that is drawn where its key has changed. */
interface Part<T = Shown> {
  name: string;
  key(shown: T): string;
  draw(shown: T): void;
}

interface Drawing {
  drawNext(): void;
  drawSoon(): void;
  forget(names?: string[]): void;
}

interface SliderPage {
  EPS_TEXT: string;
  DELTA_TEXT: string;
  isHere(): boolean;
  cutAt(cut: Cut, pair: ComparedPair): void;
}

interface Sliders {
  slide(key: "eps" | "delta", value: number, pair: ComparedPair | null): void;
  follow(search: string | null, pair: ComparedPair | null): Cut | null;
}

/** The tiles of a wall in order, and how many rows of them are shown at most (all without it). */
interface WallContent {
  places: number[];
  label: string;
  rows?: number;
  /** The least width of a tile in pixels. */
  narrowest?: number;
  tile(place: number): Tree;
}

/** `focus`: the tile that Tab leads to; `drawn`: what decides which tiles are in the tree. */
interface WallState {
  holder: HTMLElement;
  content: WallContent;
  focus: number;
  drawn: string;
}

/** How many samples each chip of Samples would leave. */
interface ChipCounts {
  clean: number[];
  robust: number[];
  thin: number;
  picked: number;
  classes: Map<number, number>;
}

/** Clean flips, and robust ones at the cut's eps. */
interface Summaries {
  clean: Summary;
  robust: Summary;
}

/** `PairColumns` of backend/schemas/comparisons.py: bytes in base64. */
interface ColumnsOut {
  version: string;
  n: number;
  index: string;
  label: string;
  dense: ColumnsOfSideOut;
  pruned: ColumnsOfSideOut;
  thinness: string;
  logit_gap: string;
}

interface ColumnsOfSideOut {
  kind: "minimum" | "witness";
  eps: number | null;
  prediction: string;
  margin: string;
}

/** The samples of a pair by dense margin, one entry a sample; lengths as stored, infinite where nothing was found. */
interface Columns {
  n: number;
  index: Int32Array;
  label: Int32Array;
  dense: ColumnsSide;
  pruned: ColumnsSide;
  /** The dense margin; where it is 0, that of the prediction. */
  thinness: Float64Array;
  logitGap: Float64Array;
}

interface ColumnsSide {
  kind: "minimum" | "witness";
  eps: number | null;
  prediction: Int32Array;
  margin: Float64Array;
}

/** Samples by (dense holds, pruned holds). */
interface Counts {
  n11: number;
  n10: number;
  n01: number;
  n00: number;
}

interface Share {
  count: number;
  n: number;
  value: number | null;
  low: number | null;
  high: number | null;
}

/** `Flips` of backend/analysis/flips.py. */
interface Summary {
  counts: Counts;
  negative_flip_rate: Share;
  positive_flip_rate: Share;
  lost_share: Share;
  churn: Share;
  net: number;
  mcnemar_p: number;
}

/** What a page shows of its pair: eps as stored, delta in shown units; `query`: the keys of the address that say so. */
interface Cut {
  dense: string;
  pruned: string;
  eps: number;
  epsText: string;
  delta: number;
  view: string;
  set: string | null;
  label: number | null;
  isThin: boolean;
  sort: string;
  pick: Picked | null;
  query: Record<string, string>;
}

/**
 * A pair with its sets: clean, robust at the cut's eps, and those of the cut's view (places in outcomes.SETS); `mask`: 1
 * where class, selection and thin ice leave a sample.
 */
interface Shown {
  pair: ComparedPair;
  columns: Columns;
  cut: Cut;
  clean: Uint8Array;
  robust: Uint8Array;
  sets: Uint8Array;
  mask: Uint8Array;
}

/** An element as data; `key` among the attributes names it among its siblings. */
interface Tree {
  tag: string;
  attributes: Record<string, string | null>;
  children: (Tree | string)[];
}

/** `SeveralColumns` of backend/schemas/several.py. */
interface SeveralColumnsOut extends Omit<ColumnsOut, "pruned"> {
  pruned: ColumnsOfSideOut[];
}

/** `SeveralLosses` of backend/analysis/overlaps.py; `both` by two numbers from 0. */
interface SeveralLosses {
  n: number;
  held: number;
  lost: number[];
  only: number[];
  lostBy: number[];
  atLeast: Share[];
  both: number[][];
}

/** `Overlap` of backend/analysis/overlaps.py. */
interface LossOverlap {
  both: number;
  onlyFirst: number;
  onlySecond: number;
  jaccard: Share;
  byChance: number | null;
  mcnemarP: number;
}

/** Which losses are shown, by numbers from 1: of at least k networks, of one, of one alone, of two. */
interface LossChoice {
  kind: "least" | "by" | "only" | "both";
  numbers: number[];
}

/** A checkpoint of the page that compares several, with its mark (`network_state` in frontend/pages/several/layout.py). */
interface SeveralNetwork {
  evaluation: string;
  name: string;
  words: string;
  level: number | null;
  method: string;
  glyph: string;
  kind: string;
  not_found: number;
  flags: string[];
}

/** What the page of several checkpoints begins with (`page_state` in frontend/pages/several/layout.py). */
interface SeveralState extends Unit {
  dense: string;
  pruned_list: string[];
  version: string;
  dataset: string;
  classes: string[];
  default_eps: number;
  default_eps_text: string;
  default_delta: number;
  networks: SeveralNetwork[];
  dense_network: SeveralNetwork;
}

/** What an address says of them: eps as stored, delta in shown units; `query`: the keys that say so. */
interface SeveralCut {
  dense: string;
  eps: number;
  epsText: string;
  delta: number;
  view: "clean" | "robust";
  query: Record<string, string>;
}

/** Several checkpoints at a cut: columns, sets and summaries of each pruned one, and the masks of the cut's view. */
interface ShownSeveral {
  several: SeveralState;
  columns: Columns[];
  cut: SeveralCut;
  choice: LossChoice;
  clean: Summary[];
  robust: Summary[];
  masks: Uint8Array;
  losses: SeveralLosses;
}

/** By which column the table of several checkpoints is sorted. */
interface SeveralSort {
  key: string;
  isDown: boolean;
}

/** What the server computes after a pause (`follow_cut` in frontend/pages/compare/callbacks.py). */
interface Followed {
  eps_text: string;
  view: string;
  population: string;
  rest: (Tree | string)[];
  predictive: (Tree | string)[];
  controls: (Tree | string)[];
  notes: (Tree | string)[];
  tables: Record<string, (Tree | string)[]>;
}

/** A mark of the scatter: its place among the columns, the set it was drawn as, its elements. */
interface Mark {
  place: number;
  set: number;
  x: number;
  y: number;
  node: SVGElement | null;
  copy: SVGElement | null;
  /** Where it is seen, in pixels of the chart's ground. */
  left: number;
  top: number;
}

/** Samples that the dense model gets right, of these lost, up to the threshold, and both. */
interface ThinCounts {
  held: number;
  lost: number;
  flagged: number;
  caught: number;
}

/** What a callback of Plotly's gives; `Custom` is what the figure keeps with each mark. */
interface Marked<Custom> {
  points?: { customdata?: Custom; bbox?: { x1: number; y0: number } }[];
}

/** A cell that live.js changes; what is left out stays. */
interface Cell {
  text?: string;
  width?: string;
  value?: string | number;
  title?: string;
}

/** What the upload page begins with (`setup` in frontend/pages/upload/layout.py). */
interface UploadSetup {
  kind: string;
  words: string;
  limit_bytes: number;
  parents: ParentChoice[];
}

interface Choice {
  value: string;
  label: string;
}

interface ParentChoice extends Choice {
  name: string;
  dataset: string;
  /** How many samples its newest evaluation has, by preset. */
  samples: Record<string, number>;
}

/** The response of PUT /api/v1/uploads. */
interface Upload {
  upload_id: string;
  filename: string;
  bytes: number;
  sha256: string;
}

/** The response of GET /api/v1/uploads/{upload_id}/preview. */
interface UploadPreview {
  architecture: string;
  parameters: number;
  measured_sparsity: number;
  likely_parent: { checkpoint_id: string; name: string; correlation: number } | null;
}

/** `error` of any response of REST. */
interface RestError {
  code: string;
  message: string;
  request_id?: string;
  details?: { ask?: string; suggestion?: unknown };
}

interface Progress {
  width: string;
  percent: number;
  words: string;
}

interface Shape {
  name?: string;
  type?: string;
  xref?: string;
  yref?: string;
  x0?: number;
  x1?: number;
  y0?: number;
  y1?: number;
}

interface Note {
  name?: string;
  text?: string;
  x?: number;
  y?: number;
  xref?: string;
  yref?: string;
  xanchor?: string;
  xshift?: number;
  yshift?: number;
  bgcolor?: string;
}

interface Trace {
  name?: string;
  x: number[];
  y: number[];
  customdata?: number[];
  error_y?: { array?: number[]; arrayminus?: number[] };
  marker?: { symbol?: string; size?: number; color?: string; line?: { color?: string; width?: number } };
}

/** A mark or bar that was clicked. */
interface ChartPoint {
  pointIndex: number;
  customdata?: unknown[];
}

interface ChartAxis {
  l2p(value: number): number;
  p2l(pixel: number): number;
  _offset: number;
  _length: number;
  range: [number, number];
  autorange?: boolean | string;
}

/** A chart that Plotly drew. What begins with _ is what Plotly keeps of it. */
interface Chart extends HTMLElement {
  data: Trace[];
  calcdata: { x: number; y: number }[][];
  layout?: { shapes?: Shape[]; annotations?: Note[] };
  _fullData: { uid: string }[];
  _fullLayout: {
    xaxis: ChartAxis;
    yaxis: ChartAxis;
    shapes?: Shape[];
    annotations?: Note[];
    _size: { l: number; t: number; w: number; h: number };
  };
  on(event: string, handler: (event: { points?: ChartPoint[] }) => void): void;
}

interface DashClientside {
  no_update: unknown;
  callback_context: { triggered: { prop_id: string; value: unknown }[] };
  set_props(id: string, props: Record<string, unknown>): void;
  [namespace: string]: unknown;
}

interface Window {
  dash_clientside: DashClientside;
  dashAgGridComponentFunctions?: Record<string, (props: { value: number }) => unknown>;
  Plotly?: { react(chart: Chart, data: Trace[], layout: object): void; relayout(chart: Chart, changes: object): void };
  dash_ag_grid?: { getApiAsync(id: string): Promise<{ setGridOption(name: string, value: unknown): void }> };
  React: { createElement(tag: string, attributes: Record<string, unknown>, text: string): unknown };
}

declare var thinice: ThinIce;
