using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using UnityEditor;
using UnityEngine;

namespace Callsheet.Editor
{
    /// <summary>Finds components with [CallsheetAction] methods of which none is on an NPC's object or below it.</summary>
    internal static class UnreachableActions
    {
        /// <summary>The methods that no NPC can call though their components are there.</summary>
        internal static IEnumerable<MethodInfo> Find(IEnumerable<MethodInfo> methods)
        {
            MonoBehaviour[] all = Resources.FindObjectsOfTypeAll<MonoBehaviour>();
            return methods.Where(method =>
            {
                MonoBehaviour[] there = Array.FindAll(all, c => method.DeclaringType.IsInstanceOfType(c) && !EditorUtility.IsPersistent(c));
                return there.Length > 0 && !Array.Exists(there, IsOnNpc);
            });
        }

        [InitializeOnLoadMethod]
        private static void Watch() => EditorApplication.playModeStateChanged += change =>
        {
            if (change == PlayModeStateChange.EnteredPlayMode)
            {
                Tell(TypeCache.GetMethodsWithAttribute<CallsheetActionAttribute>());
            }
        };

        /// <summary>One line in the console for each.</summary>
        internal static void Tell(IEnumerable<MethodInfo> methods)
        {
            foreach (MethodInfo method in Find(methods))
            {
                Debug.LogWarning("[Callsheet] " + method.DeclaringType.Name + "." + method.Name + ": no NPC can call it: put "
                    + method.DeclaringType.Name + " on an object with a CallsheetNpc, or below it");
            }
        }

        private static bool IsOnNpc(MonoBehaviour component)
        {
            for (Transform at = component.transform; at != null; at = at.parent)
            {
                if (at.GetComponent<CallsheetNpc>() != null)
                {
                    return true;
                }
            }
            return false;
        }
    }
}
