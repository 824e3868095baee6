using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using Field = System.Collections.Generic.KeyValuePair<string, Callsheet.Wire.JsonValue>;

namespace Callsheet.Tests
{
    /// <summary>Reads a cast file and prints every field of what was read, as JSON.</summary>
    internal static class CastMirror
    {
        private static void Main(string[] arguments)
        {
            try
            {
                Cast cast = Cast.Parse(File.ReadAllText(arguments[0]));
                Console.WriteLine(Of(cast));
            }
            catch (FormatException wrong)
            {
                Console.WriteLine(JsonValue.Of(wrong.Message));
            }
        }

        private static JsonValue Of(Cast cast) => Obj(
            F("npcs", List(cast.Npcs, Of)),
            F("lore", JsonValue.Of(cast.Lore)),
            F("lorebook", List(cast.Lorebook, Of)),
            F("lorebook_budget_tokens", Of(cast.LorebookBudgetTokens)),
            F("ids", JsonValue.Of(cast.Ids.Select(id => F(id.Key, JsonValue.Of(id.Value))).ToArray())),
            F("specs", List(cast.Specs().ToArray(), Of)));

        private static JsonValue Of(CastNpc npc) => Obj(
            F("npc", JsonValue.Of(npc.Npc)),
            F("name", JsonValue.Of(npc.Name)),
            F("persona", JsonValue.Of(npc.Persona)),
            F("source", JsonValue.Of(npc.Source)),
            F("format", JsonValue.Of(npc.Format)),
            F("tokens", JsonValue.Of(npc.Tokens)),
            F("archetype", Of(npc.Archetype)),
            F("sociability", JsonValue.Of(npc.Sociability)),
            F("facts", Of(npc.Facts)),
            F("greetings", List(npc.Greetings, JsonValue.Of)),
            F("group_greetings", List(npc.GroupGreetings, JsonValue.Of)),
            F("material", JsonValue.Of(npc.Material)),
            F("lorebook", List(npc.Lorebook, Of)),
            F("lorebook_budget_tokens", Of(npc.LorebookBudgetTokens)),
            F("sections", List(npc.Sections, one => Obj(F("kind", JsonValue.Of(one.Kind)), F("text", JsonValue.Of(one.Text))))),
            F("extras", Of(npc.Extras)));

        private static JsonValue Of(LoreEntry entry) => Obj(
            F("content", JsonValue.Of(entry.Content)),
            F("keys", List(entry.Keys, JsonValue.Of)),
            F("secondary_keys", List(entry.SecondaryKeys, JsonValue.Of)),
            F("logic", JsonValue.Of(entry.Logic)),
            F("constant", JsonValue.Of(entry.Constant)),
            F("order", JsonValue.Of(entry.Order)),
            F("probability", JsonValue.Of(entry.Probability)),
            F("case_sensitive", JsonValue.Of(entry.CaseSensitive)),
            F("name", JsonValue.Of(entry.Name)),
            F("extras", Of(entry.Extras)));

        private static JsonValue Of(NpcSpec spec) => Obj(
            F("npc", JsonValue.Of(spec.Npc)),
            F("name", JsonValue.Of(spec.Name)),
            F("persona", JsonValue.Of(spec.Persona)),
            F("archetype", Of(spec.Archetype)),
            F("sociability", JsonValue.Of(spec.Sociability)));

        private static JsonValue Of(string text) => text == null ? JsonValue.Null : JsonValue.Of(text);

        private static JsonValue Of(long? number) => number == null ? JsonValue.Null : JsonValue.Of(number.Value);

        private static JsonValue Of(IReadOnlyDictionary<string, JsonValue> values) => JsonValue.Of(values.ToArray());

        private static JsonValue List<T>(IReadOnlyList<T> items, Func<T, JsonValue> of) =>
            JsonValue.Of(items.Select(of).ToArray());

        private static JsonValue Obj(params Field[] fields) => JsonValue.Of(fields);

        private static Field F(string name, JsonValue value) => new Field(name, value);
    }
}
