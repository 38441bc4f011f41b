// Renders a kustomization and reads every object of it into the types of Kubernetes and of the operators, strictly: a field
// that does not exist, that stands twice or that has the wrong type is a fault. Pods are held against the Pod Security
// Standard "restricted" by the code that admits them.
//
//	burnline-kubernetes DIR    the objects as a JSON list on standard output; the faults on standard error, exit code 1
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	security "k8s.io/pod-security-admission/api"
	standards "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: burnline-kubernetes DIR")
		os.Exit(2)
	}
	objects, faults := check(os.Args[1])
	for _, fault := range faults {
		fmt.Fprintln(os.Stderr, fault)
	}
	if err := json.NewEncoder(os.Stdout).Encode(objects); err != nil || len(faults) > 0 {
		os.Exit(1)
	}
}

func check(dir string) (objects []json.RawMessage, faults []string) {
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone
	rendered, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, []string{err.Error()}
	}
	decoder := serializer.NewCodecFactory(known(), serializer.EnableStrict).UniversalDeserializer()
	evaluator, err := standards.NewEvaluator(standards.DefaultChecks(), nil)
	if err != nil {
		return nil, []string{err.Error()}
	}
	for _, resource := range rendered.Resources() {
		text, err := resource.MarshalJSON()
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		objects = append(objects, text)
		name := resource.GetKind() + " " + resource.GetName()
		object, _, err := decoder.Decode(text, nil, nil)
		if err != nil {
			faults = append(faults, name+": "+err.Error())
			continue
		}
		if pod := podOf(object); pod != nil {
			level := security.LevelVersion{Level: security.LevelRestricted, Version: security.LatestVersion()}
			for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
				if !result.Allowed {
					faults = append(faults, strings.Join([]string{name, result.ForbiddenReason, result.ForbiddenDetail}, ": "))
				}
			}
		}
	}
	return objects, faults
}

func known() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		apps.AddToScheme, autoscaling.AddToScheme, batch.AddToScheme, core.AddToScheme, networking.AddToScheme,
		policy.AddToScheme, monitoring.AddToScheme, keda.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return scheme
}

func podOf(object runtime.Object) *core.PodTemplateSpec {
	switch it := object.(type) {
	case *apps.Deployment:
		return &it.Spec.Template
	case *apps.StatefulSet:
		return &it.Spec.Template
	case *batch.Job:
		return &it.Spec.Template
	case *core.Pod:
		return &core.PodTemplateSpec{ObjectMeta: it.ObjectMeta, Spec: it.Spec}
	}
	return nil
}
