/** Icons as paths on a 24 by 24 grid; decoration only, the words are beside them or in a label. */
const PATHS = {
  box: "M4 6h16v12H4z",
  polygon: "M12 3.5 20 9l-3 10H7L4 9z",
  compare: "M4 5h7v14H4zM13 5h7v14h-7z",
  close: "M6 6l12 12M18 6 6 18",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  download: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.5 1.5M17.5 17.5 19 19M5 19l1.5-1.5M17.5 6.5 19 5",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  upload: "M12 16V5m-5 5 5-5 5 5M5 20h14",
  filter: "M4 6h16M7 12h10M10 18h4",
  chart: "M5 20V10m7 10V4m7 16v-7",
  retry: "M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  alert: "M12 4 2.5 20h19zM12 10v4m0 3v.01",
  check: "M5 12.5 10 17.5 19 7",
  home: "M4 11 12 4l8 7v9h-5v-6H9v6H4z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
