using System;
using System.Collections.Generic;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>What one NPC can do: the [CallsheetAction] methods on its object and below it, and those under way.</summary>
    internal sealed class NpcActions
    {
        /// <summary>As many as the protocol allows an NPC.</summary>
        private const int MaxActions = 32;

        private static readonly HashSet<string> Told = new HashSet<string>();

        private readonly CallsheetNpc _npc;
        private readonly List<NpcAction> _running = new List<NpcAction>();

        internal NpcActions(CallsheetNpc npc)
        {
            _npc = npc;
        }

        /// <summary>A new play session: what was told is told again.</summary>
        internal static void Reset() => Told.Clear();

        /// <summary>The methods that this NPC has, each with its component. Of two with one name the first counts; the other is told.</summary>
        internal List<KeyValuePair<MonoBehaviour, ActionMethod>> Find()
        {
            var found = new List<KeyValuePair<MonoBehaviour, ActionMethod>>();
            Collect(_npc.transform, found);
            return found;
        }

        /// <summary>What the server is told it can do now.</summary>
        internal ActionSpec[] Specs()
        {
            var specs = new List<ActionSpec>();
            foreach (KeyValuePair<MonoBehaviour, ActionMethod> found in Find())
            {
                try
                {
                    ActionSpec spec = found.Value.Spec(found.Key);
                    if (spec != null)
                    {
                        specs.Add(spec);
                    }
                }
                catch (Exception thrown)
                {
                    // Code of the game, which names what is in reach.
                    Debug.LogException(thrown, found.Key);
                }
            }
            if (specs.Count > MaxActions)
            {
                TellOnce(specs[MaxActions].Name + ": no NPC can do it: " + _npc.name + " has more than " + MaxActions + " actions");
                specs.RemoveRange(MaxActions, specs.Count - MaxActions);
            }
            return specs.ToArray();
        }

        /// <summary>Begins to carry an action out; the server is told what becomes of it. False if no method does it.</summary>
        internal bool TryRun(NpcAction action)
        {
            foreach (KeyValuePair<MonoBehaviour, ActionMethod> found in Find())
            {
                if (found.Value.Name == action.Name)
                {
                    _running.RemoveAll(known => known.IsComplete);
                    _running.Add(action);
                    found.Value.Run(found.Key, action);
                    return true;
                }
            }
            return false;
        }

        /// <summary>Nobody carries the action out: says so to the NPC, and once in the console.</summary>
        internal void Refuse(NpcAction action)
        {
            action.Complete(false, "nothing in the game carries out " + action.Name + " of " + _npc.SpokenName);
            TellOnce(action.Name + ": an NPC wants to do it and nobody carries it out. Give " + _npc.name + " a method with [CallsheetAction(\""
                + action.Name + "\")], or listen to CallsheetNpc.Acted");
        }

        /// <summary>Unity stops the coroutines of an object that is disabled, without a word to them.</summary>
        internal void FailRunning(string why)
        {
            _running.ForEach(action => ActionRun.Fail(action, why));
            _running.Clear();
        }

        /// <summary>Another NPC below this one has its own.</summary>
        private void Collect(Transform from, List<KeyValuePair<MonoBehaviour, ActionMethod>> found)
        {
            foreach (MonoBehaviour component in from.GetComponents<MonoBehaviour>())
            {
                // The script of a component can be missing.
                foreach (ActionMethod method in component == null ? Array.Empty<ActionMethod>() : ActionTable.Of(component.GetType()))
                {
                    int first = found.FindIndex(other => other.Value.Name == method.Name);
                    if (first < 0)
                    {
                        found.Add(new KeyValuePair<MonoBehaviour, ActionMethod>(component, method));
                    }
                    else
                    {
                        TellOnce(method.Name + " of " + component.GetType().Name + ": no NPC can do it where "
                            + found[first].Key.GetType().Name + " has an action of that name too, as on " + _npc.name);
                    }
                }
            }
            foreach (Transform child in from)
            {
                if (child.GetComponent<CallsheetNpc>() == null)
                {
                    Collect(child, found);
                }
            }
        }

        private void TellOnce(string what)
        {
            if (Told.Add(what))
            {
                Debug.LogWarning("[Callsheet] action " + what, _npc);
            }
        }
    }
}
