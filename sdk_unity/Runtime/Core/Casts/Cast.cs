using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>
    /// NPCs of a cast file, as <c>callsheet cast import</c> writes it; docs/characters.md has the format.
    /// </summary>
    public sealed class Cast
    {
        /// <summary>What a cast file says it is.</summary>
        public const string Format = "callsheet.cast";

        /// <summary>The latest version of the format that is read.</summary>
        public const int Version = 1;

        private Cast(CastFields fields)
        {
            Npcs = fields.Parts("npcs", one => new CastNpc(one));
            Lore = fields.Text("lore");
            Lorebook = fields.Parts("lorebook", one => new LoreEntry(one));
            LorebookBudgetTokens = fields.OptionalInteger("lorebook_budget_tokens");
            Ids = fields.TextByName("ids");
        }

        /// <summary>The NPCs, in the order of the file.</summary>
        public IReadOnlyList<CastNpc> Npcs { get; }

        /// <summary>What everybody in the world knows.</summary>
        public string Lore { get; }

        /// <summary>What everybody knows when a key is heard; a Lorebook mod adds it to replies.</summary>
        public IReadOnlyList<LoreEntry> Lorebook { get; }

        /// <summary>Most tokens of the world's lorebook that a reply may be told; null = the server's setting.</summary>
        public long? LorebookBudgetTokens { get; }

        /// <summary>Source to id, of those too that are gone.</summary>
        public IReadOnlyDictionary<string, string> Ids { get; }

        /// <summary>Reads the text of a cast file.</summary>
        /// <exception cref="FormatException">It is none, is damaged, or is of a later version.</exception>
        public static Cast Parse(string json)
        {
            byte[] text = Encoding.UTF8.GetBytes(json.TrimStart('\uFEFF'));
            var document = new JsonDocument();
            string wrong = document.Parse(text, 0, text.Length);
            JsonValue root = wrong == null ? JsonValue.From(document, 0) : null;
            if (root == null)
            {
                throw new FormatException("The cast file is no JSON: " + (wrong ?? "a number is too great"));
            }
            var fields = new CastFields(root, "cast");
            if (fields.Text("format") != Format)
            {
                throw new FormatException("This is no cast file: it has no \"format\": \"" + Format + "\"");
            }
            long version = fields.OptionalInteger("version") ?? 0;
            if (version < 1 || version > Version)
            {
                throw new FormatException("The cast file has version " + version + "; this reads up to " + Version);
            }
            return new Cast(fields);
        }

        /// <summary>The NPC with an id; null if there is none.</summary>
        public CastNpc Find(string npc) => Npcs.FirstOrDefault(one => one.Npc == npc);

        /// <summary>All NPCs as <see cref="GameWorld.Add(NpcSpec)"/> wants them.</summary>
        public IEnumerable<NpcSpec> Specs() => Npcs.Select(one => one.Spec());
    }
}
