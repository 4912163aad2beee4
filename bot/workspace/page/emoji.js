// The shortcodes that bots commonly use; others stay as written.

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌",
  warning: "⚠️", no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", lock: "🔒", unlock: "🔓",
  key: "🔑", link: "🔗", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", alarm_clock: "⏰",
  calendar: "📅", date: "📅", spiral_calendar_pad: "🗓️", clock9: "🕘", tada: "🎉", wave: "👋",
  bulb: "💡", memo: "📝", pencil: "✏️", pencil2: "✏️", email: "✉️", envelope: "✉️", incoming_envelope: "📨",
  bell: "🔔", eyes: "👀", bust_in_silhouette: "👤", busts_in_silhouette: "👥", handshake: "🤝",
  rocket: "🚀", sparkles: "✨", star: "⭐", fire: "🔥", zap: "⚡", mag: "🔍", gear: "⚙️",
  large_green_circle: "🟢", large_yellow_circle: "🟡", red_circle: "🔴", white_circle: "⚪",
  large_blue_circle: "🔵", large_orange_circle: "🟠", arrow_right: "➡️", arrows_counterclockwise: "🔄",
  leftwards_arrow_with_hook: "↩️", recycle: "♻️", information_source: "ℹ️", question: "❓",
  grey_question: "❔", exclamation: "❗", double_vertical_bar: "⏸️", black_square_for_stop: "⏹️",
  thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", pray: "🙏", smile: "😄", slightly_smiling_face: "🙂",
  moneybag: "💰", briefcase: "💼", office: "🏢", house: "🏠", clipboard: "📋", robot_face: "🤖", shield: "🛡️",
  plug: "🔌", wastebasket: "🗑️", package: "📦", raised_hand: "✋", point_right: "👉", 100: "💯",
};

export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}
