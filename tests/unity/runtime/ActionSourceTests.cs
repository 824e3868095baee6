using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using Callsheet.Editor;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>What the editor makes of [CallsheetAction] methods: the file for IL2CPP builds, and warnings.</summary>
    public class ActionSourceTests : PlayingFixture
    {
        private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

        [Test]
        public void The_file_holds_what_generated_code_can_call()
        {
            MethodInfo[] methods = AllMethods().Where(m => ActionReflection.Fault(m) == null && ActionSource.Hidden(m) == null).ToArray();
            string source = ActionSource.For(methods);
            Assert.That(source, Is.StringContaining("((global::Callsheet.Tests.ActionTableTests.Gate)c).@Open("));
            // The test of the IL2CPP variant compiles this file.
            string path = Environment.GetEnvironmentVariable("CALLSHEET_ACTION_SOURCE");
            if (path != null)
            {
                File.WriteAllText(path, source);
            }
        }

        [Test]
        public void A_file_is_wanted_beside_the_assembly_definition_and_what_it_cannot_call_is_told()
        {
            MethodInfo[] methods = MethodsOf(typeof(Shy)).Concat(MethodsOf(typeof(ActionTableTests.Bell))).ToArray();
            string assembly = GetType().Assembly.GetName().Name;
            Dictionary<string, string> wanted = ActionFiles.Wanted(methods, new[] { assembly, "Assembly-CSharp" });
            Assert.That(wanted.Keys.Single(), Is.EqualTo("Assets/" + assembly + "/CallsheetActions.g.cs"));
            Assert.That(wanted.Values.Single(), Is.StringContaining("@Ring").And.Not.StringContaining("Shy"));
            Assert.That(Debug.Lines.OrderBy(line => line), Is.EqualTo(new[]
            {
                "Warning: [Callsheet] Shy.Blush: an IL2CPP build cannot call it: Blush is not internal or public",
                "Warning: [Callsheet] Shy.Hide: an IL2CPP build cannot call it: get_Places is not internal or public",
            }));
        }

        [TestCase(typeof(Faulty), "Static", "an instance method of a MonoBehaviour")]
        [TestCase(typeof(Faulty), "Spaced", "'two words' is no name for an action")]
        [TestCase(typeof(Faulty), "Bounded", "[Within] bounds a number, and 'word' is none")]
        [TestCase(typeof(Faulty), "Counted", "[NamesFrom] is for a string, and 'n' is none")]
        [TestCase(typeof(Faulty), "Lost", "[NamesFrom] of 'place' names no property or method")]
        [TestCase(typeof(Faulty), "Count", "a [CallsheetAction] returns void, bool, string, IEnumerator, Task, Task<bool> or Task<string>, not Int32")]
        [TestCase(typeof(Faulty), "Place", "a [CallsheetAction] cannot have a parameter of type Vector3")]
        [TestCase(typeof(NoComponent), "Act", "an instance method of a MonoBehaviour")]
        public void A_method_that_cannot_be_an_action_is_told_why(Type type, string method, string why)
        {
            Assert.That(ActionReflection.Fault(type.GetMethod(method, Own)), Is.StringContaining(why));
        }

        [Test]
        public void A_faulty_method_is_told_once_and_is_no_action()
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.AddComponent<Faulty>();
            Assert.That(bob.Actions.Find(), Is.Empty);
            Assert.That(bob.Actions.Find(), Is.Empty);
            Assert.That(Debug.Lines.Count(line => line.StartsWith("Error: [Callsheet] Faulty.Count: ")), Is.EqualTo(1));
        }

        [Test]
        public void A_method_that_no_npc_can_call_is_told()
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.AddComponent<ActionTableTests.Doorbell>();
            var stray = new GameObject("stray").AddComponent<ActionTableTests.Bell>();
            MethodInfo[] methods = MethodsOf(typeof(ActionTableTests.Bell)).Concat(MethodsOf(typeof(ActionTableTests.Doorbell))).Concat(MethodsOf(typeof(Shy))).ToArray();
            UnreachableActions.Tell(methods);
            Assert.That(Debug.Lines.Single(), Is.EqualTo(
                "Warning: [Callsheet] Bell.Ring: no NPC can call it: put Bell on an object with a CallsheetNpc, or below it"));
            stray.transform.SetParent(bob.transform);
            Assert.That(UnreachableActions.Find(methods), Is.Empty);
        }

        private static IEnumerable<MethodInfo> AllMethods() => typeof(ActionSourceTests).Assembly.GetTypes().SelectMany(MethodsOf);

        private static IEnumerable<MethodInfo> MethodsOf(Type type) =>
            type.GetMethods(Own).Where(m => Attribute.IsDefined(m, typeof(CallsheetActionAttribute), false));

        internal sealed class Shy : MonoBehaviour
        {
            private static string[] Places => new[] { "hole" };

            [CallsheetAction]
            internal void Hide([NamesFrom(nameof(Places))] string place)
            {
            }

            [CallsheetAction]
            private void Blush()
            {
            }
        }

        private sealed class Faulty : MonoBehaviour
        {
            [CallsheetAction]
            internal static void Static()
            {
            }

            [CallsheetAction("two words")]
            internal void Spaced()
            {
            }

            [CallsheetAction]
            internal void Bounded([Within(0, 1)] string word)
            {
            }

            [CallsheetAction]
            internal void Counted([NamesFrom(nameof(Spaced))] int n)
            {
            }

            [CallsheetAction]
            internal int Count() => 3;

            [CallsheetAction]
            internal void Place(Vector3 at)
            {
            }

            [CallsheetAction]
            internal void Lost([NamesFrom(nameof(Spaced))] string place)
            {
            }
        }

        private sealed class NoComponent
        {
            [CallsheetAction]
            internal void Act()
            {
            }
        }
    }
}
